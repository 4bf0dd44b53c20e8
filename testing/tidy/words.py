"""Prose that every engineer reads once: words that this tree does not use, and what to write.

The rules are in CONTRIBUTING.md. A refused word is ambiguous, literary, or makes a person of the
caller or of the kernel.
"""

import re

from testing.tidy.source_tree import Finding

# A refused word or phrase (a regular expression) -> the plain one.
_REFUSED = {
    r"s?he|him|his|himself|hers?|herself": "the caller, the thread, it",
    r"nobody|no one": "no thread, no caller, none",
    r"somebody|someone|anybody|anyone|everybody|everyone": "a thread, a caller, any, all",
    r"whoever|whomever": "the thread that, the caller that",
    r"for ever|forever": "indefinitely, without limit, until ...",
    r"tells?|told|telling": "report, return, show, distinguish",
    r"at once": "immediately; or: at the same time; or: in one call",
    r"ordinary": "base (page), regular, plain",
    r"shall": "must, is to",
    r"neighbou?r\w*": "adjacent, contiguous",
    r"hence|upon|whereupon|unasked": "so; on; without a request",
    r"need be|one day|as good as|bears? with|be had": "(say it plainly)",
    r"lets? go|letting go": "release, free",
    r"mend(s|ed|ing)?": "fix",
}

# The list itself, the examples of its test, and text that is not ours.
_EXEMPT = ("testing/tidy/words.py", "testing/tidy/checks_test.py", "LICENSE")

# Where a refused word is part of the interface: path -> words.
_PUBLIC = {"tools/moor/names.cc": ("ordinary",)}  # a value of JSON output

# Between the words of a phrase: spaces, or the end of a comment's line.
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?://+|#|\*)?[ \t]*)"

_PATTERNS = [
    (re.compile(r"(?<![\w.>-])(" + words.replace(" ", _GAP) + r")(?![\w(])", re.IGNORECASE), plain)
    for words, plain in _REFUSED.items()
]


def check_words(source):
    if source.path in _EXEMPT:
        return
    for pattern, plain in _PATTERNS:
        for match in pattern.finditer(source.text):
            line = source.text.count("\n", 0, match.start(1)) + 1
            if match.group(1) in _PUBLIC.get(source.path, ()):
                continue
            word = " ".join(re.findall(r"[\w']+", match.group(1)))
            yield Finding(source, line, f'"{word}" is not used here; write: {plain}')
