"""Tests in Python with unittest and the standard library only."""

def python_test(name, srcs, data = [], size = "small", **kwargs):
    """Runs `<name>.py`, a unittest module in `srcs`. It may import the others."""
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/python:run_tests.sh"],
        args = ["$(location %s.py)" % name],
        data = srcs + data + ["//build_tools/python:run_tests.py"],
        **kwargs
    )
