"""Finds the Go toolchain of the host; never downloads."""

load("//build_tools:host_tool.bzl", "cache_folder", "find_host_tool")

# go.mod of the bindings has the same version; build_tools/install/go reads it here.
_MINIMUM = [1, 23]

def _go_env(ctx, go, name):
    # Without GOTOOLCHAIN=local, the go command may download another version of itself.
    result = ctx.execute([go, "env", name], environment = {"GOTOOLCHAIN": "local"})
    return result.stdout.strip() if not result.return_code else None

def _version(ctx, go):
    version = _go_env(ctx, go, "GOVERSION")
    return version[len("go"):] if version and version.startswith("go") else None

def _installed(ctx):
    """Go toolchains that are usually not on PATH: of go.dev, of build_tools/install, of Debian."""
    places = ["/usr/local/go/bin/go", cache_folder(ctx) + "/go/bin/go"]
    library = ctx.path("/usr/lib")
    versions = [p.basename for p in library.readdir() if p.basename.startswith("go-1.")]
    return places + ["/usr/lib/%s/bin/go" % v for v in reversed(sorted(versions))]

def _go_host_impl(ctx):
    ctx.file("BUILD.bazel", "")
    found = find_host_tool(
        ctx,
        variable = "MOORING_GO",
        name = "go",
        places = _installed(ctx),
        version_of = _version,
        minimum = _MINIMUM,
    )
    ctx.file("found.bzl", "GO_FOUND = %s\nGOROOT = %r\nVERSION = %r\n" % (
        found != None,
        _go_env(ctx, found.path, "GOROOT") if found else "",
        found.version if found else "",
    ))

go_host = repository_rule(
    implementation = _go_host_impl,
    environ = ["HOME", "MOORING_GO", "PATH", "XDG_CACHE_HOME"],
    local = True,
    configure = True,
)
