#!/bin/bash
# The example reads up to one buffer of a file and names the path that the bytes took.
set -euo pipefail

first_read="$PWD/$1"
cd "$TEST_TMPDIR"
die() { echo "$*" >&2; exit 1; }

head -c 5000 /dev/urandom > sample
output="$("$first_read" sample)"
echo "$output"
grep -qxE "5000 bytes at 0x[0-9a-f]+, path (fixed|copy)" <<< "$output" || die "unexpected: $output"

! "$first_read" missing 2> error || die "a missing file was read"
grep -q "No such file" error || die "a missing file is not named"
! "$first_read" . || die "a directory was read"
