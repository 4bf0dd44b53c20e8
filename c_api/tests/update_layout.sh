#!/bin/bash
# Rewrites c_api/abi/layout.txt in the source tree from the headers: bazel run //c_api:update_layout
set -euo pipefail
dump="$PWD/$1"
cd "${BUILD_WORKSPACE_DIRECTORY:?run it with: bazel run //c_api:update_layout}"
export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1
exec python3 c_api/tests/layout.py "$dump" c_api/abi/layout.txt c_api/include/mooring/*.h
