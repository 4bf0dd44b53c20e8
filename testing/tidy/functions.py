"""Where functions begin and end, by language, as far as the formatting shows it."""

import ast
import re

# Comments, raw strings, strings and characters: none of their braces count. A
# quote after a digit is a separator (1'000), not a character.
_CXX_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_CXX_TYPE = re.compile(r"(?:typedef|class|struct|union|enum)\b")

# How a function's header ends, when it begins like a type's: `struct stat Get() const`.
_CXX_HEADER_END = re.compile(r"\)\s*(?:const|noexcept|override|final|\s)*$")

_GO_HEADER = re.compile(r"func ")
_RUST_HEADER = re.compile(
    r"(\s*)(?:pub(?:\([^)]*\))? )?(?:const |unsafe |async |extern \"C\" )*fn "
)
_SHELL_HEADER = re.compile(r"(?:function )?[\w-]+ ?\(\) ?\{")


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def _without_template(statement):
    """The statement after its `template <...>`, whose text may look like anything."""
    depth = 0
    if statement.startswith("template"):
        for index, character in enumerate(statement):
            depth += {"<": 1, ">": -1}.get(character, 0)
            if character == ">" and depth == 0:
                return statement[index + 1 :].strip()
    return statement


def _opens_function(statement):
    """Whether a brace after `statement`, outside any function, starts a body."""
    statement = _without_template(statement)
    if "(" not in statement or statement.startswith("namespace") or statement.endswith("="):
        return False
    return not _CXX_TYPE.match(statement) or bool(_CXX_HEADER_END.search(statement))


def _goes_on(code, position):
    """Whether the brace closed at `position` was a member's initialiser: `: a_{1}, b_{2} {`."""
    return code[position + 1 :].lstrip()[:1] in (",", "{")


def _body_end(code, position):
    """Where the function whose first brace is at `position` ends; the text's end if never."""
    depth = 0
    for match in re.finditer(r"[{}]", code[position:]):
        depth += 1 if match.group(0) == "{" else -1
        if depth == 0:
            end = position + match.start()
            if not _goes_on(code, end):
                return end
    return len(code)


def _cxx_functions(text):
    """Brace matching over text without comments and strings; lambdas count as their function."""
    code = _CXX_NOISE.sub(_blank, text)
    begin = 0  # of the statement that is being read
    boundary = re.compile(r"[{};]")
    match = boundary.search(code)
    while match:
        position = match.start()
        statement = code[begin:position]
        if match.group(0) == "{" and _opens_function(statement.strip()):
            first = begin + len(statement) - len(statement.lstrip())
            position = _body_end(code, position)
            yield code.count("\n", 0, first) + 1, code.count("\n", 0, position) + 1
        begin = position + 1
        match = boundary.search(code, begin)


def _between(lines, first, last):
    """Spans from a line that matches `first` to the next that equals last(match)."""
    begin, end = None, None
    for number, line in enumerate(lines, 1):
        match = first.match(line)
        if begin is None and match and not line.rstrip().endswith(("}", ";")):
            begin, end = number, last(match)
        elif begin is not None and line.rstrip() == end:
            yield begin, number
            begin = None


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def find_functions(source):
    """Yields (first line, last line) of each function of a file."""
    if source.suffix in ("c", "cc", "h", "cu"):
        yield from _cxx_functions(source.text)
    elif source.suffix in ("py", "bzl"):
        yield from _python_functions(source.text)
    elif source.suffix == "go":
        yield from _between(source.lines, _GO_HEADER, lambda match: "}")
    elif source.suffix == "rs":
        yield from _between(source.lines, _RUST_HEADER, lambda match: match.group(1) + "}")
    elif source.suffix in ("sh", "bash"):
        yield from _between(source.lines, _SHELL_HEADER, lambda match: "}")
