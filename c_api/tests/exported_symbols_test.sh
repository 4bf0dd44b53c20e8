#!/bin/bash
# The shared library exports the symbols of abi/symbols.txt, with their versions, and no others.
set -euo pipefail
library=$1
golden=$2
exported=$(nm -D --defined-only --with-symbol-versions "$library" |
  awk '$2 != "A" { print $3 }' | LC_ALL=C sort)
if ! diff <(LC_ALL=C sort "$golden") <(printf '%s\n' "$exported"); then
  echo "exported symbols (>) differ from c_api/abi/symbols.txt (<): edit that file and" \
    "c_api/abi/mooring.map" >&2
  exit 1
fi
