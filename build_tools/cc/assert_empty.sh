#!/bin/bash
# Fails, and prints what it found, when a query's answer is not empty.
set -euo pipefail

if [[ -s "$1" ]]; then
    echo "forbidden dependency: $2 must not reach" >&2
    cat "$1" >&2
    exit 1
fi
