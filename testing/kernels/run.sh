#!/bin/bash
# Runs run.py with the machine's python3, where Bazel has put the programs. Its --help says more.
set -euo pipefail

export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 testing/kernels/run.py "$@"
