"""What the tags of a test mean to Bazel, beyond their names."""

def test_tags(tags):
    """The tags, and those that follow from them.

    Bazel's sandbox is a user namespace, in which CAP_IPC_LOCK no longer lifts the
    memlock limit: a test of rings or of pinned memory would see another machine
    than a program does. So it runs outside.
    """
    implied = ["local"] if "io_uring" in tags or "memlock" in tags else []
    return tags + [t for t in implied if t not in tags]
