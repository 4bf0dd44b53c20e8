"""Limits the length of files, functions and lines."""

from testing.tidy.functions import find_functions
from testing.tidy.source_tree import Finding

FILE_LINES = 400
FUNCTION_LINES = 70
LINE_COLUMNS = 100

_LANGUAGES = ("h", "cc", "c", "cu", "py", "rs", "go", "bzl", "sh", "bash")

# Path -> why it cannot be split. Empty, and meant to stay so.
EXEMPT_FILES = {}


def check_file_length(source):
    if source.suffix not in _LANGUAGES and not source.is_build_file:
        return
    count = len(source.lines)
    if count > FILE_LINES and source.path not in EXEMPT_FILES:
        message = f"{count} lines, over {FILE_LINES}: which noun wants out?"
        yield Finding(source, FILE_LINES + 1, message)


def check_line_length(source):
    if source.suffix not in _LANGUAGES and not source.is_build_file:
        return
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_COLUMNS:
            yield Finding(source, number, f"{len(line)} columns, over {LINE_COLUMNS}")


def check_function_length(source):
    for first, last in find_functions(source):
        length = last - first + 1
        if length > FUNCTION_LINES:
            yield Finding(source, first, f"a function of {length} lines, over {FUNCTION_LINES}")
