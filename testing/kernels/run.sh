#!/bin/bash
# Runs run.py with the host's python3, in the folder with the programs. See --help.
set -euo pipefail

export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 testing/kernels/run.py "$@"
