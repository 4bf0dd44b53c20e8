#!/bin/bash
# Runs run.py with the python3 of the machine, in the folder of the built programs. See --help.
set -euo pipefail

export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 testing/kernels/run.py "$@"
