"""Tags that other tags imply."""

def test_tags(tags):
    """The tags, and the tags that they imply.

    The sandbox of Bazel is a user namespace, in which CAP_IPC_LOCK does not lift the
    memlock limit. A test of rings or of pinned memory would behave differently from
    a program, so it runs outside of the sandbox.
    """
    implied = ["local"] if "io_uring" in tags or "memlock" in tags else []
    return tags + [t for t in implied if t not in tags]
