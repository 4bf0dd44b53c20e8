#!/bin/bash
# The shared library needs only libc, libm, libstdc++, libgcc, liburing and libnuma. Its soname is
# libmooring.so.0.
set -euo pipefail
library=$1
dynamic=$(readelf -dW "$library")
if ! grep -q 'SONAME.*\[libmooring\.so\.0\]' <<<"$dynamic"; then
  echo "the soname is not libmooring.so.0" >&2
  exit 1
fi
needed=$(sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' <<<"$dynamic")
[ -n "$needed" ] || { echo "no NEEDED entries: is $library a shared library?" >&2; exit 1; }
expected='^(libc|libm|libstdc\+\+|libgcc_s|liburing|libnuma|ld-linux-[a-z0-9-]+)\.so\.[0-9]+$'
unexpected=$(grep -vE "$expected" <<<"$needed" || true)
if [ -n "$unexpected" ]; then
  printf 'libmooring.so.0 needs libraries that its users may not have:\n%s\n' "$unexpected" >&2
  exit 1
fi
