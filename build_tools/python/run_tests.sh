#!/bin/bash
# Runs a unittest module with python3 of this machine. Imports are paths from the
# root of the repository. py_test is not used: its launcher needs a program with
# the name `python`, which Debian does not have.
set -euo pipefail

cd "$TEST_SRCDIR/$TEST_WORKSPACE"
export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 build_tools/python/run_tests.py "$@"
