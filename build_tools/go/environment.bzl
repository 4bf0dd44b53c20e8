"""The environment of all Go actions: offline, local, without the settings of the user."""

load("@go_host//:found.bzl", "GOROOT", "GO_FOUND", "VERSION")

# Without a toolchain, Bazel skips the targets and shows their names.
GO_COMPATIBLE = [] if GO_FOUND else ["//build_tools/constraints:not_found"]

# The version is part of the environment so that a new toolchain causes a new compilation.
GO_ENV = {"MOORING_GO_VERSION": VERSION, "PATH": "/usr/bin:/bin"}

GO_SETUP = """
set -euo pipefail
export HOME="$PWD/.go_home" GOCACHE="$PWD/.go_cache" GOPATH="$PWD/.go_path"
export GOROOT='{root}' GOENV=off GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GOWORK=off
export GOFLAGS='-mod=readonly -trimpath -buildvcs=false'
export CGO_ENABLED=1 CC=gcc CGO_LDFLAGS_ALLOW='.*'
go="$GOROOT/bin/go"
""".format(root = GOROOT)
