#!/bin/bash
# Runs a unittest module with the machine's python3, imports being paths from
# the repository's root. Not py_test: its launcher asks for a program called
# `python`, which Debian does not have.
set -euo pipefail

cd "$TEST_SRCDIR/$TEST_WORKSPACE"
export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 build_tools/python/run_tests.py "$@"
