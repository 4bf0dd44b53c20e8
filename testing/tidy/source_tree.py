"""The files of this repository, as the checks see them."""

import os
import re

# Not part of the sources: outputs, caches and the history.
_SKIPPED_FOLDERS = {".git", ".cache", "target", "__pycache__", "node_modules"}

# Bazel's convenience links lead out of the tree.
_SKIPPED_LINKS = re.compile(r"^bazel-")


class SourceFile:
    """One text file: its path from the root of the repository, and its lines."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.splitlines()

    @property
    def name(self):
        return os.path.basename(self.path)

    @property
    def suffix(self):
        """The language: the extension, or "sh" for a script that has none."""
        extension = os.path.splitext(self.name)[1].lstrip(".")
        if not extension and self.text.startswith("#!"):
            return "py" if "python" in self.lines[0] else "sh"
        return extension

    @property
    def is_build_file(self):
        return self.name in ("BUILD", "BUILD.bazel", "WORKSPACE") or self.suffix in ("bzl", "BUILD")

    def inside(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)


class Finding:
    """What a check found: where, and what to do about it."""

    def __init__(self, source, line, message):
        self.path = source.path
        self.line = line
        self.message = message

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


def find_root():
    """The repository that holds the WORKSPACE this test was given as data.

    The data file is a link to the real one, so the checks read the tree as it is
    now, new files included, and not the copy among Bazel's inputs.
    """
    runfiles = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
    return os.path.dirname(os.path.realpath(os.path.join(runfiles, "WORKSPACE")))


def read_tree(root):
    """Every text file below `root`, sorted by path."""
    sources = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED_FOLDERS and not _SKIPPED_LINKS.match(name)
        )
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            try:
                with open(path, encoding="utf-8") as file:
                    sources.append(SourceFile(os.path.relpath(path, root), file.read()))
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # a binary file, or a temporary file that was deleted after the listing
    return sources
