"""Finds the Rust compiler of the host; never downloads."""

load("//build_tools:host_tool.bzl", "find_host_tool")

# bindings/rust/Cargo.toml has the same version; build_tools/install/rust reads it here.
_MINIMUM = [1, 85]

def _version(ctx, rustc):
    result = ctx.execute([rustc, "--version"])
    words = result.stdout.split(" ")
    return words[1] if not result.return_code and len(words) > 1 else None

def _rust_host_impl(ctx):
    ctx.file("BUILD.bazel", "")
    home = ctx.os.environ.get("HOME", "/root")
    found = find_host_tool(
        ctx,
        variable = "MOORING_RUSTC",
        name = "rustc",
        places = [home + "/.cargo/bin/rustc", "/usr/bin/rustc"],
        version_of = _version,
        minimum = _MINIMUM,
    )
    if not found:
        ctx.file("found.bzl", "RUST_FOUND = False\nRUSTC = None\nVERSION = None\n")
        return

    # rustc of rustup is a proxy that selects the compiler from HOME and the working
    # folder. An action has neither, so it needs the path of the real compiler.
    sysroot = ctx.execute([found.path, "--print", "sysroot"])
    if sysroot.return_code:
        fail("rustc --print sysroot failed: " + sysroot.stderr)
    ctx.file("found.bzl", "RUST_FOUND = True\nRUSTC = %r\nVERSION = %r\n" % (
        sysroot.stdout.strip() + "/bin/rustc",
        found.version,
    ))

rust_host = repository_rule(
    implementation = _rust_host_impl,
    environ = ["HOME", "MOORING_RUSTC", "PATH"],
    local = True,
    configure = True,
)
