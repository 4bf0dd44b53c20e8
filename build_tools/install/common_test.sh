#!/bin/bash
# The scripts compare versions correctly and read the minimum versions of the rules.
set -euo pipefail

# shellcheck source=build_tools/install/common.sh
source build_tools/install/common.sh

check() {
    "$@" || die "expected: $*"
}

check at_least 1.23 1.23
check at_least 1.23.4 1.23
check at_least 1.100 1.23
check at_least 2.0 1.23
check eval '! at_least 1.19 1.23'
check eval '! at_least 1.9.9 1.23'
check eval '! at_least "" 1.23'

check at_least "$(minimum_of go)" 1.23
check at_least "$(minimum_of rust)" 1.56
