"""The standard library of Go, compiled once: since Go 1.20 it is not distributed compiled."""

load("//build_tools/go:environment.bzl", "GO_COMPATIBLE", "GO_ENV", "GO_SETUP")

# The packages that the bindings, their tests and the examples import. A package
# that is missing here is compiled again in each target, which is slow but correct.
_PACKAGES = [
    "bufio",
    "bytes",
    "context",
    "encoding/binary",
    "encoding/json",
    "errors",
    "flag",
    "fmt",
    "io",
    "math/rand",
    "net",
    "os",
    "os/exec",
    "os/signal",
    "path/filepath",
    "runtime/cgo",
    "runtime/debug",
    "strings",
    "sync/atomic",
    "testing",
    "time",
]

def _go_standard_library_impl(ctx):
    cache = ctx.actions.declare_directory(ctx.label.name)
    imports = " ".join(['_ "%s";' % p for p in _PACKAGES])
    ctx.actions.run_shell(
        command = GO_SETUP + """
export GOCACHE="$PWD/{cache}"
mkdir .go_module && cd .go_module
printf 'module warm\\n\\ngo 1.23\\n' > go.mod
printf 'package warm\\n\\nimport ({imports})\\n' > warm_test.go
"$go" vet .
"$go" test -c -o /dev/null .
# Later builds do not read these files.
rm -rf "$GOCACHE"/trim.txt "$GOCACHE"/fuzz
""".format(cache = cache.path, imports = imports),
        outputs = [cache],
        env = GO_ENV,
        mnemonic = "GoStandardLibrary",
        progress_message = "Compiling the standard library of Go",
    )
    return [DefaultInfo(files = depset([cache]))]

_go_standard_library = rule(implementation = _go_standard_library_impl)

def go_standard_library(name, **kwargs):
    _go_standard_library(
        name = name,
        tags = ["go"],
        target_compatible_with = GO_COMPATIBLE,
        **kwargs
    )
