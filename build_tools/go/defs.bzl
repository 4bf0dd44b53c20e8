"""Go rules for the toolchain of the host: tests and programs of a module with cgo, offline."""

load("//build_tools:rpath.bzl", "origin_rpath")
load("//build_tools:tags.bzl", "test_tags")
load("//build_tools/go:environment.bzl", "GO_COMPATIBLE", "GO_ENV", "GO_SETUP")

_COMMAND = GO_SETUP + """
# A writable copy, because the go command writes to its cache.
cp -rL '{standard_library}' "$GOCACHE"
chmod -R u+w "$GOCACHE"
export CGO_CFLAGS="{cflags}"
export CGO_LDFLAGS="{ldflags}"
output="$PWD/{output}"
cd '{module}'
"$go" vet '{package}'
"$go" {build} -o "$output" '{package}'
"""

def _includes(headers):
    contexts = [d[CcInfo].compilation_context for d in headers]
    folders = depset(transitive = [c.includes for c in contexts] +
                                  [c.system_includes for c in contexts] +
                                  [c.quote_includes for c in contexts])
    return ["-I$PWD/" + i for i in folders.to_list()]

def _compile(ctx, build):
    """Runs go vet and builds one package; returns the program and its runfiles."""
    program = ctx.actions.declare_file(ctx.label.name)
    shared = ctx.files.shared_libraries
    headers = depset(transitive = [
        d[CcInfo].compilation_context.headers
        for d in ctx.attr.headers
    ])
    ldflags = []
    for lib in shared:
        ldflags.append("$PWD/" + lib.path)
        ldflags.append("-Wl,-rpath," + origin_rpath(ctx, program, lib).replace("$", "\\$"))
    ctx.actions.run_shell(
        command = _COMMAND.format(
            build = build,
            cflags = " ".join(_includes(ctx.attr.headers)),
            ldflags = " ".join(ldflags),
            module = ctx.file.gomod.dirname,
            output = program.path,
            package = "./" + ctx.attr.package,
            standard_library = ctx.files._standard_library[0].path,
        ),
        inputs = depset(
            ctx.files.srcs + [ctx.file.gomod] + shared + ctx.files._standard_library,
            transitive = [headers],
        ),
        outputs = [program],
        env = GO_ENV,
        mnemonic = "GoCompile",
        progress_message = "Compiling Go %s" % ctx.label,
    )
    runfiles = ctx.runfiles(files = shared + ctx.files.data)
    for target in ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = program, runfiles = runfiles)]

def _go_binary_impl(ctx):
    return _compile(ctx, "build")

def _go_test_impl(ctx):
    return _compile(ctx, "test -c")

_ATTRS = {
    "data": attr.label_list(allow_files = True, doc = "needed at run time"),
    "gomod": attr.label(allow_single_file = True, mandatory = True),
    "headers": attr.label_list(providers = [CcInfo], doc = "C headers for cgo"),
    "package": attr.string(default = ".", doc = "folder below go.mod"),
    "shared_libraries": attr.label_list(allow_files = True),
    "srcs": attr.label_list(
        allow_files = True,
        mandatory = True,
        doc = "every source of the module that the package needs",
    ),
    "_standard_library": attr.label(default = "//build_tools/go:standard_library"),
}

_go_binary = rule(implementation = _go_binary_impl, attrs = _ATTRS, executable = True)
_go_test = rule(implementation = _go_test_impl, attrs = _ATTRS, test = True)

def go_binary(name, tags = [], **kwargs):
    _go_binary(name = name, tags = tags + ["go"], target_compatible_with = GO_COMPATIBLE, **kwargs)

def go_test(name, tags = [], size = "small", **kwargs):
    _go_test(
        name = name,
        size = size,
        tags = test_tags(tags + ["go"]),
        target_compatible_with = GO_COMPATIBLE,
        **kwargs
    )
