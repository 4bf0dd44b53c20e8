"""Rust rules for rustc of the host: libraries, programs and tests, with std but no crates."""

load("@rust_host//:found.bzl", "RUSTC", "RUST_FOUND", "VERSION")
load("//build_tools:rpath.bzl", "origin_rpath")
load("//build_tools:tags.bzl", "test_tags")

RustLibraryInfo = provider("One compiled crate.", fields = {
    "crate": "crate name as `extern crate` spells it",
    "rlib": "the .rlib file",
    "rlibs": "depset of this .rlib and every .rlib it needs",
    "shared": "depset of shared libraries to link",
})

_ATTRS = {
    # Not `features`: every Bazel rule has an attribute of that name.
    "cargo_features": attr.string_list(doc = "each becomes --cfg feature=NAME"),
    "crate_name": attr.string(doc = "default: the name of the target"),
    "crate_root": attr.label(allow_single_file = [".rs"], mandatory = True),
    "data": attr.label_list(allow_files = True, doc = "needed at run time"),
    "deps": attr.label_list(providers = [RustLibraryInfo]),
    "edition": attr.string(default = "2021"),
    "shared_libraries": attr.label_list(allow_files = True),
    "srcs": attr.label_list(allow_files = True, mandatory = True),
}

def _compile(ctx, output, kind):
    """Runs rustc for one crate; returns the depsets of .rlib and of shared libraries used."""
    deps = [d[RustLibraryInfo] for d in ctx.attr.deps]
    shared = depset(ctx.files.shared_libraries, transitive = [d.shared for d in deps])
    rlibs = depset(transitive = [d.rlibs for d in deps])
    args = ctx.actions.args()
    args.add(ctx.file.crate_root)
    args.add("--crate-name", (ctx.attr.crate_name or ctx.label.name).replace("-", "_"))
    args.add("--edition", ctx.attr.edition)
    args.add("-o", output)
    args.add_all(["-Dwarnings"] + kind)
    args.add_all(ctx.attr.cargo_features, before_each = "--cfg", format_each = "feature=\"%s\"")
    if ctx.var["COMPILATION_MODE"] == "opt":
        args.add_all(["-Copt-level=3", "-Cdebug-assertions=off"])
    else:
        args.add_all(["-Cdebuginfo=1", "-Cdebug-assertions=on"])
    for dep in deps:
        args.add("--extern", "%s=%s" % (dep.crate, dep.rlib.path))
    folders = {f.dirname: None for f in rlibs.to_list()}
    args.add_all(["dependency=" + d for d in folders], before_each = "-L")
    if "rlib" not in kind:
        for lib in shared.to_list():
            args.add("-Clink-arg=" + lib.path)
            args.add("-Clink-arg=-Wl,-rpath," + origin_rpath(ctx, output, lib))
    ctx.actions.run(
        executable = RUSTC,
        arguments = [args],
        inputs = depset(ctx.files.srcs + [ctx.file.crate_root], transitive = [rlibs, shared]),
        outputs = [output],
        # The version is part of the environment so that a new compiler causes a new compilation.
        env = {"MOORING_RUSTC_VERSION": VERSION, "PATH": "/usr/bin:/bin"},
        mnemonic = "Rustc",
        progress_message = "Compiling Rust %s" % ctx.label,
    )
    return rlibs, shared

def _library_impl(ctx):
    crate = (ctx.attr.crate_name or ctx.label.name).replace("-", "_")

    # In a separate folder for each target: two targets may compile the same crate.
    rlib = ctx.actions.declare_file("%s.rlibs/lib%s.rlib" % (ctx.label.name, crate))
    rlibs, shared = _compile(ctx, rlib, ["--crate-type", "rlib"])
    return [
        DefaultInfo(files = depset([rlib])),
        RustLibraryInfo(
            crate = crate,
            rlib = rlib,
            rlibs = depset([rlib], transitive = [rlibs]),
            shared = shared,
        ),
    ]

def _program(ctx, kind):
    program = ctx.actions.declare_file(ctx.label.name)
    _, shared = _compile(ctx, program, kind)
    runfiles = ctx.runfiles(files = ctx.files.data, transitive_files = shared)
    for target in ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = program, runfiles = runfiles)]

def _binary_impl(ctx):
    return _program(ctx, ["--crate-type", "bin"])

def _test_impl(ctx):
    return _program(ctx, ["--test"])

_rust_library = rule(implementation = _library_impl, attrs = _ATTRS)
_rust_binary = rule(implementation = _binary_impl, attrs = _ATTRS, executable = True)
_rust_test = rule(implementation = _test_impl, attrs = _ATTRS, test = True)

# Without a compiler, Bazel skips the targets and shows their names.
_COMPATIBLE = [] if RUST_FOUND else ["//build_tools/constraints:not_found"]

def rust_library(name, tags = [], **kwargs):
    _rust_library(
        name = name,
        tags = tags + ["rust"],
        target_compatible_with = _COMPATIBLE,
        **kwargs
    )

def rust_binary(name, tags = [], **kwargs):
    _rust_binary(
        name = name,
        tags = tags + ["rust"],
        target_compatible_with = _COMPATIBLE,
        **kwargs
    )

def rust_test(name, tags = [], size = "small", **kwargs):
    _rust_test(
        name = name,
        size = size,
        tags = test_tags(tags + ["rust"]),
        target_compatible_with = _COMPATIBLE,
        **kwargs
    )
