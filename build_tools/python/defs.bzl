"""Tests in Python, which here means the standard library and unittest."""

def python_test(name, srcs, data = [], size = "small", **kwargs):
    """Runs the first of `srcs`, a unittest module; the others are what it imports."""
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/python:run_tests.sh"],
        args = ["$(location %s)" % srcs[0]],
        data = srcs + data + ["//build_tools/python:run_tests.py"],
        **kwargs
    )
