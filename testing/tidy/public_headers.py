"""Each exported function's comment says what a caller must know."""

import re

from testing.tidy.source_tree import Finding

_LABELS = ("Thread:", "Errors:", "Since:")
_FUNCTION = re.compile(r"\b(mooring_\w+)\s*\(")


def _comment_above(lines, index):
    """The // lines that end just above lines[index], without their slashes."""
    comment = []
    while index > 0 and lines[index - 1].startswith("//"):
        index -= 1
        comment.insert(0, lines[index].lstrip("/").strip())
    return comment


def check_public_comments(source):
    if not source.inside("c_api/include") or source.suffix != "h":
        return
    for index, line in enumerate(source.lines):
        if not line.startswith("MOORING_API"):
            continue
        declaration = " ".join(source.lines[index : index + 4]).split(";")[0]
        function = _FUNCTION.search(declaration)
        if not function:
            yield Finding(source, index + 1, "an exported symbol that is no function")
            continue
        name = function.group(1)
        comment = _comment_above(source.lines, index)
        if not comment or not re.match(rf"{name}\b", comment[0]):
            yield Finding(source, index + 1, f'the comment must begin with "{name}"')
        for label in _LABELS:
            if not any(part.startswith(label) for part in comment):
                yield Finding(source, index + 1, f'{name}: the comment has no "{label}" line')
