# Functions for the scripts of build_tools, which source this file.
# shellcheck shell=bash

say() {
    printf '%s\n' "mooring: $*"
}

die() {
    printf '%s\n' "mooring: error: $*" >&2
    exit 1
}

# Prints the comment at the top of script $1, which is its manual.
print_help() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"
}

# Sets variables that Bazel, apt and Go need, if the environment lacks them.
complete_environment() {
    local account
    account="$(id -un)"
    export USER="${USER:-$account}"
    export HOME="${HOME:-$(getent passwd "$account" | cut -d: -f6)}"
    export LC_ALL="${LC_ALL:-C.UTF-8}"
}

as_root() {
    local path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if [[ "$(id -u)" -eq 0 ]]; then
        env PATH="$path" "$@"
    elif command -v sudo >/dev/null; then
        sudo env PATH="$path" "$@"
    else
        die "root or sudo is needed to run: $*"
    fi
}

# at_least VERSION MINIMUM: compares versions such as 1.23.4 and 1.23.
at_least() {
    [[ -n "$1" ]] && [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

# minimum_of LANGUAGE: prints the minimum version, from the rules of Bazel.
minimum_of() {
    sed -n 's/^_MINIMUM = \[\([0-9]*\), \([0-9]*\)\]$/\1.\2/p' \
        "$(dirname "${BASH_SOURCE[0]}")/../$1/repository.bzl"
}

# Prints the path of Bazel. Prefers Debian's Bazel: the first one on PATH may be
# a launcher that downloads a release without WORKSPACE support.
find_bazel() {
    if [[ -n "${MOORING_BAZEL:-}" ]]; then
        echo "$MOORING_BAZEL"
    elif [[ -x /usr/bin/bazel ]]; then
        echo /usr/bin/bazel
    else
        command -v bazel || die "no Bazel found: set MOORING_BAZEL to a Bazel of version 4.2 to 7"
    fi
}

# Prints the folder of the tools that build_tools/install downloads.
cache_folder() {
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/mooring"
}

# find_go [MINIMUM]: prints the path of the first go command of at least that version (any by
# default). Looks in the same places in the same order as build_tools/go/repository.bzl.
find_go() {
    local go version
    for go in "${MOORING_GO:-}" "$(command -v go || true)" /usr/local/go/bin/go \
        "$(cache_folder)/go/bin/go" /usr/lib/go-1.*/bin/go; do
        [[ -x "$go" ]] || continue
        version="$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null)" || continue
        if at_least "${version#go}" "${1:-1}"; then
            echo "$go"
            return 0
        fi
    done
    return 1
}

# find_formatter TOOL: prints the path of the tool; fails if it is not installed.
find_formatter() {
    local tool="$1" go path
    local places=("$(command -v "$tool" || true)" "$HOME/.cargo/bin/$tool"
        "$(cache_folder)/bin/$tool")
    if [[ "$tool" == gofmt ]] && go="$(find_go)"; then
        places+=("$(dirname "$(readlink -f "$go")")/gofmt")
    fi
    for path in "${places[@]}"; do
        if [[ -x "$path" ]]; then
            echo "$path"
            return 0
        fi
    done
    return 1
}
