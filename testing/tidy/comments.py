"""Unfinished work is an issue with a number, or it is finished."""

import re

from testing.tidy.source_tree import Finding

# Spelled in halves, so that this file passes its own check.
_TO_DO = "TO" + "DO"
_FIX_ME = re.compile(r"\b(FIX" + r"ME|X{3}|HA" + r"CK)\b")

# Text about the rule itself, not unfinished work.
_EXEMPT = ("CONTRIBUTING.md", "docs/STYLE.md")


def check_unfinished(source):
    if source.path in _EXEMPT or source.name in ("LICENSE", ".gitignore"):
        return
    for number, line in enumerate(source.lines, 1):
        if re.search(rf"\b{_TO_DO}\b(?!\(#\d+\))", line):
            yield Finding(source, number, f"{_TO_DO} without an issue: write {_TO_DO}(#123)")
        match = _FIX_ME.search(line)
        if match:
            yield Finding(source, number, f"{match.group(0)} must not be merged")
