"""Tests in Python with unittest and the standard library only."""

def python_test(name, srcs, data = [], size = "small", **kwargs):
    """Runs `<name>.py` of `srcs`, a unittest module. It may import the others."""
    main = name + ".py"
    if main not in srcs:
        fail("srcs of %s do not contain %s" % (name, main))
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/python:run_tests.sh"],
        args = ["$(location %s)" % main],
        data = srcs + data + ["//build_tools/python:run_tests.py"],
        **kwargs
    )
