#!/bin/bash
# The example counts the same lines as wc(1), over more chunks than are in flight, and fails for a
# file that it cannot open.
set -euo pipefail

count_lines="$PWD/$1"
cd "$TEST_TMPDIR"
die() { echo "$*" >&2; exit 1; }

# Lines of many lengths up to 300, over 21 chunks. The last chunk is not full.
awk 'BEGIN { for (i = 0; i < 150000; i++) printf "%0" (i * 7919 % 300 + 1) "d\n", i }' > sample
(($(stat -c %s sample) > 20 * 1048576)) || die "the sample is too small"
wanted="$(wc -l < sample)"
counted="$("$count_lines" sample)"
[[ "$counted" == "$wanted" ]] || die "$counted lines, expected $wanted"

: > empty
[[ "$("$count_lines" empty)" == 0 ]] || die "an empty file has lines"

! "$count_lines" missing 2> error || die "a missing file was counted"
grep -q "missing: No such file" error || die "a missing file is not named"
