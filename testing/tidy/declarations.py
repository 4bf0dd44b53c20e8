"""No header of the library declares what nothing uses."""

import collections
import re

from testing.tidy.source_tree import Finding

_IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*\b")
_NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

# Codes of the C interface, which the C++ code has no use for yet.
_EXEMPT = {"kDataShort", "kDevice"}

# A function, a constant or a type that a header of cpp/ declares, in this project's spelling.
_DECLARATION = re.compile(
    r"^(?!\s*(?:return|using|friend)\b)[^=\n()]*?\b(?P<function>[A-Z]\w+)\("
    r"|\b(?P<constant>k[A-Z]\w+)\s*(?:=|\{)"
    r"|^\s*(?:class|struct|enum class)\s+(?:alignas\(\w+\)\s+)?(?P<type>[A-Z]\w+)",
    re.MULTILINE,
)


def _code(source):
    return _NOISE.sub(" ", source.text)


def check_dead_declarations(sources):
    """A name that stands in its declaration and its definition, and nowhere else, is dead."""
    cxx = [source for source in sources if source.suffix in ("h", "cc", "c")]
    uses = collections.Counter()
    for source in cxx:
        code = _code(source)
        uses.update(_IDENTIFIER.findall(code))
        # A definition outside its class is no use.
        uses.subtract(re.findall(r"^[^\s].*?\b\w+::(\w+)\(", code, re.MULTILINE))
    for source in cxx:
        if source.suffix != "h" or not source.inside("cpp"):
            continue
        code = _code(source)
        for match in _DECLARATION.finditer(code):
            name = match.group(match.lastgroup)
            if uses[name] <= 1 and name not in _EXEMPT:
                line = code.count("\n", 0, match.start(match.lastgroup)) + 1
                yield Finding(source, line, f"{name} is declared and never used")
