#!/bin/bash
# Fails and prints the result of a query if the result is not empty.
set -euo pipefail

if [[ -s "$1" ]]; then
    echo "forbidden dependency: $2 must not reach" >&2
    cat "$1" >&2
    exit 1
fi
