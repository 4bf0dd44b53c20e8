#!/bin/bash
# Sizes, offsets and values of the C interface are those of abi/layout.txt, and layout_dump.c speaks of every struct
# field and constant that the headers declare.
set -euo pipefail
dump=$1
golden=$2
shift 2
actual=$("$dump")
if ! diff "$golden" <(printf '%s\n' "$actual"); then
  echo "the layout (>) differs from c_api/abi/layout.txt (<). What was released never changes; additions go into both." >&2
  exit 1
fi
missing=0
for header in "$@"; do
  text=$(sed 's://.*::' "$header")
  for name in $(grep -oE '\bMOORING_[A-Z0-9_]+ *= *' <<<"$text" | grep -oE 'MOORING_[A-Z0-9_]+'); do
    grep -q "^$name " <<<"$actual" || { echo "$header: $name is not in layout_dump.c" >&2; missing=1; }
  done
  for field in $(awk '/^typedef struct mooring_[a-z_]+ \{/ { s = $3 } /^\}/ { s = "" }
                      s != "" && /;/ { sub(/;.*/, ""); sub(/\[.*/, ""); n = split($0, w, /[ *]+/); print s "." w[n] }' \
                 <<<"$text"); do
    grep -q "^$field " <<<"$actual" || { echo "$header: $field is not in layout_dump.c" >&2; missing=1; }
  done
done
exit "$missing"
