#!/bin/bash
# Every function that the library imports is wrapped, or listed with a reason.
set -euo pipefail
library=$1
seam=$2
runtimes='^(_Z|__cxa_|__gxx_|__gmon_|_ITM_|_Unwind_|__asan_|__ubsan_|__tsan_|__sanitizer_)'
not_injected=$3
called=$(nm -D --undefined-only "$library" | awk '{ print $2 }' | sed 's/@.*//' |
  grep -v -E "$runtimes" | LC_ALL=C sort -u)
known=$({
  nm "$seam" | sed -n 's/.* [Tt] __wrap_//p'
  grep -v '^#' "$not_injected"
} | LC_ALL=C sort -u)
missing=$(LC_ALL=C comm -23 <(printf '%s\n' "$called") <(printf '%s\n' "$known"))
if [[ -n $missing ]]; then
  echo "called by the library, not wrapped in testing/faults and not in not_injected.txt:" >&2
  echo "$missing" >&2
  exit 1
fi
