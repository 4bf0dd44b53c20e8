"""Run paths from a built program to the shared libraries that it needs in tests."""

def _relative(ctx, directory):
    return directory[len(ctx.bin_dir.path) + 1:]

def origin_rpath(ctx, program, library):
    """The run path of the folder of `library`, relative to `program`."""
    here = _relative(ctx, program.dirname)
    depth = len(here.split("/")) if here else 0
    return "$ORIGIN/" + "../" * depth + _relative(ctx, library.dirname)
