"""Tests in Python, which here means the standard library and unittest."""

def python_test(name, srcs, data = [], size = "small", **kwargs):
    """Runs `<name>.py` of `srcs`, a unittest module; the others are what it imports."""
    main = name + ".py"
    if main not in srcs:
        fail("srcs of %s do not hold %s" % (name, main))
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/python:run_tests.sh"],
        args = ["$(location %s)" % main],
        data = srcs + data + ["//build_tools/python:run_tests.py"],
        **kwargs
    )
