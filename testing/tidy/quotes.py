"""What README.md shows in C is part of an example, which the tests build and run."""

import re

from testing.tidy.source_tree import Finding

_BLOCK = re.compile(r"^```c\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _folded(text):
    """The lines without their indentation, which a quotation leaves out."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def check_quotes(sources):
    examples = [_folded(source.text) for source in sources if source.inside("examples")]
    for source in sources:
        if source.path != "README.md":
            continue
        for match in _BLOCK.finditer(source.text):
            if not any(_folded(match.group(1)) in example for example in examples):
                line = source.text.count("\n", 0, match.start()) + 1
                yield Finding(source, line, "this code is in no file of examples")
