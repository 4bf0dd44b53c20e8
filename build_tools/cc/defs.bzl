"""C and C++ targets with the flags of this project: libraries, binaries, tests, benchmarks."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//build_tools:tags.bzl", "test_tags")

# Warnings that both gcc 12 and clang 14 support, for the code of this project only.
# They are errors. New warnings of later compilers must be fixed when they appear.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wundef",
    "-Wvla",
    "-Wcast-align",
    "-Wimplicit-fallthrough",
    # Designated initialisers omit members that are zero.
    "-Wno-missing-field-initializers",
    "-Werror",
]

_CXX_WARNINGS = [
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wextra-semi",
]

# An implicit conversion of a size to 32 bits can lose bytes.
_LIBRARY_ONLY = [
    "-Wconversion",
    "-Wno-sign-conversion",
]

_CXX_LIBRARY_ONLY = [
    "-fno-exceptions",
    "-fno-rtti",
]

def _is_c(srcs):
    """Whether the sources are C. C++ flags are errors in C, so a target has only one language."""
    c = [s for s in srcs if s.endswith(".c")]
    cxx = [s for s in srcs if s.endswith(".cc")]
    if c and cxx:
        fail("a target must have either C or C++ sources, not both: " + ", ".join(c + cxx))
    return bool(c)

def _copts(srcs, library):
    copts = _WARNINGS + (_LIBRARY_ONLY if library else [])
    if not _is_c(srcs):
        copts = copts + _CXX_WARNINGS + (_CXX_LIBRARY_ONLY if library else [])
    return copts

def mooring_cc_library(
        name,
        srcs = [],
        hdrs = [],
        deps = [],
        copts = [],
        testonly = False,
        **kwargs):
    """A library of cpp/ or c_api/; a testonly one may use exceptions and RTTI."""
    cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _copts(srcs, library = not testonly) + copts,
        deps = deps,
        testonly = testonly,
        **kwargs
    )

def mooring_cc_binary(name, srcs = [], deps = [], copts = [], **kwargs):
    """A program; it may use exceptions and RTTI."""
    cc_binary(
        name = name,
        srcs = srcs,
        copts = _copts(srcs, library = False) + copts,
        deps = deps,
        **kwargs
    )

def mooring_cc_test(
        name,
        srcs,
        deps = [],
        size = "small",
        main = True,
        copts = [],
        tags = [],
        **kwargs):
    """A GoogleTest program. Use `main = False` if the sources define main.

    A test in C does not use GoogleTest.
    """
    gtest = []
    if not _is_c(srcs):
        gtest = ["@googletest//:gtest"] + (["@googletest//:gtest_main"] if main else [])
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _copts(srcs, library = False) + copts,
        tags = test_tags(tags),
        deps = deps + [d for d in gtest if d not in deps],
        **kwargs
    )

def mooring_benchmark(
        name,
        srcs,
        deps = [],
        main = True,
        copts = [],
        tags = [],
        data = [],
        **kwargs):
    """A benchmark program, and `<name>_smoke_test`, which runs it for the shortest time."""
    benchmark = ["@benchmark//:benchmark"] + (["@benchmark//:benchmark_main"] if main else [])
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        copts = _copts(srcs, library = False) + copts,
        data = data,
        tags = ["benchmark"] + tags,
        deps = deps + benchmark,
        **kwargs
    )
    native.sh_test(
        name = name + "_smoke_test",
        size = "small",
        srcs = ["//build_tools/cc:benchmark_smoke.sh"],
        args = ["$(location :%s)" % name],
        data = [":" + name] + data,
        tags = test_tags(["benchmark"] + tags),
    )

def _absolute(label):
    """The absolute label: a query is not evaluated in a package, so `:name` is not valid there."""
    return "//%s%s" % (native.package_name(), label) if label.startswith(":") else label

def assert_no_dependency(name, target, forbidden, size = "small"):
    """A test that fails if `target` depends on any of `forbidden` (a label or a list of labels)."""
    target = _absolute(target)
    labels = [_absolute(f) for f in ([forbidden] if type(forbidden) == type("") else forbidden)]
    native.genquery(
        name = name + "_query",
        testonly = True,
        expression = "deps(%s) intersect (%s)" % (target, " + ".join(labels)),
        scope = [target] + labels,
        tags = ["manual"],
    )
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/cc:assert_empty.sh"],
        args = [
            "$(location :%s_query)" % name,
            target,
        ],
        data = [":%s_query" % name],
    )
