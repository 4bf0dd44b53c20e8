"""Tests in Python with unittest and the standard library only."""

def python_test(name, srcs, data = [], size = "small", **kwargs):
    """Runs `<name>.py` of `srcs`, a unittest module. It may import the others."""
    mains = [s for s in srcs if s.split("/")[-1] == name + ".py"]
    if len(mains) != 1:
        fail("srcs of %s must contain one %s.py" % (name, name))
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//build_tools/python:run_tests.sh"],
        args = ["$(location %s)" % mains[0]],
        data = srcs + data + ["//build_tools/python:run_tests.py"],
        **kwargs
    )
