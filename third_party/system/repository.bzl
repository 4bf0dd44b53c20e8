"""Finds installed C and C++ libraries; never downloads, and reports a missing library."""

# Include roots in the search order of a compiler, so that the headers and the
# linked library are from the same installation.
_SEARCH = [
    "/usr/local/include",
    "/usr/include",
    "/usr/include/x86_64-linux-gnu",
    "/usr/include/aarch64-linux-gnu",
]

def _find(ctx, header, roots):
    for root in roots:
        if ctx.path(root + "/" + header).exists:
            return root
    return None

def _roots(ctx):
    roots = []
    for name in ctx.attr.root_env:
        if ctx.os.environ.get(name):
            roots.append(ctx.os.environ[name] + "/include")
    return roots + ctx.attr.roots + _SEARCH

def _system_library_impl(ctx):
    roots = _roots(ctx)
    root = _find(ctx, ctx.attr.probe, roots)
    if root:
        for entry in ctx.attr.headers:
            if ctx.path(root + "/" + entry).exists:
                ctx.symlink(root + "/" + entry, "include/" + entry)
    elif not ctx.attr.optional:
        fail("\n{name}: {probe} not found under {roots}.\nRemedy: {remedy}".format(
            name = ctx.name,
            probe = ctx.attr.probe,
            remedy = ctx.attr.remedy,
            roots = ", ".join(roots),
        ))

    # A missing optional library keeps its labels, with FOUND = False. A target that needs
    # it lists //build_tools/constraints:not_found then, so that Bazel skips it by name.
    ctx.file("found.bzl", "FOUND = %s\nROOT = %r\n" % (root != None, root or ""))
    ctx.template("BUILD.bazel", ctx.attr.build_file, {"%{found}": str(root != None)})

system_library = repository_rule(
    implementation = _system_library_impl,
    local = True,
    configure = True,
    environ = ["CUDA_HOME", "CUDA_PATH"],
    attrs = {
        "build_file": attr.label(mandatory = True),
        "headers": attr.string_list(
            mandatory = True,
            doc = "files and folders to expose, under the include root",
        ),
        "optional": attr.bool(default = False),
        "probe": attr.string(
            mandatory = True,
            doc = "header whose presence proves that the library is installed",
        ),
        "remedy": attr.string(mandatory = True),
        "root_env": attr.string_list(doc = "variables that name an installation prefix"),
        "roots": attr.string_list(doc = "include roots to try before the usual ones"),
    },
)
