#!/bin/bash
# The example reads a whole file, prints how much is pinned, and fails for a file that it cannot
# read.
set -euo pipefail

read_file="$PWD/$1"
cd "$TEST_TMPDIR"
die() { echo "$*" >&2; exit 1; }

head -c 2621447 /dev/urandom > sample
output="$("$read_file" sample)"
echo "$output"
grep -qx "2621447 bytes" <<< "$output" || die "not all of the file was read"
pinned="$(sed -n 's/^\([0-9]*\) of 67108864 bytes pinned$/\1/p' <<< "$output")"
[[ -n "$pinned" ]] || die "the output does not show how much is pinned"
if ((pinned < 67108864)); then
    [[ "$(wc -l <<< "$output")" -ge 4 ]] || die "not all is pinned, and the output has no reason"
fi

: > empty
[[ "$("$read_file" empty)" == "0 bytes"* ]] || die "an empty file has bytes"

! "$read_file" missing 2> error || die "a missing file was read"
grep -q "missing: No such file" error || die "a missing file is not named"
! "$read_file" . 2> error || die "a directory was read"
grep -q "read: Is a directory" error || die "a failed read is not explained"
