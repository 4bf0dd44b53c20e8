"""What the C headers declare: functions, structs, constants, handles and integer types.

The headers have one fixed form, and this module reads only that form. It raises ValueError with the
text of a declaration that it does not understand: if it skipped the declaration, neither the layout
nor the bindings would be checked against it.
"""

import os
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    array_count: int  # 0 = not an array


@dataclass(frozen=True)
class Function:
    name: str
    returns: str
    parameters: tuple  # of C types, without names


@dataclass(frozen=True)
class Declarations:
    functions: dict  # name -> Function
    structs: dict  # name -> tuple of Field
    constants: tuple  # names, in the order of their definitions
    integers: dict  # typedef name -> base type
    handles: tuple  # opaque struct names
    nouns: dict  # name of a function, struct or constant -> its header, without folder and ".h"


_FUNCTION = re.compile(
    r"MOORING_API (?:MOORING_NODISCARD )?([\w ]+?\**) ?(mooring_\w+)\(([^)]*)\) MOORING_NOEXCEPT;"
)
_STRUCT = re.compile(r"typedef struct (\w+) \{([^}]*)\} (\w+);")
_HANDLE = re.compile(r"typedef struct (\w+) (\w+);")
_INTEGER = re.compile(r"typedef (u?int\d+_t) (\w+);")
_ENUM = re.compile(r"enum \{([^}]*)\};")
_FORWARD = re.compile(r"struct \w+;")
_MACRO = re.compile(r"^#define (MOORING_\w+)(\(?)(.*)$")

# Macros that mark declarations or build other macros. They are not part of the binary interface.
_NOT_CONSTANTS = re.compile(
    r"MOORING_(\w+_H_|API|NODISCARD|NOEXCEPT|BEGIN_DECLS|END_DECLS|\w+_OPTIONS_INIT)$"
)


def _without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)


def _parameter_type(parameter):
    """The C type of `const mooring_op_t* operations`, in one spelling: `const mooring_op_t*`."""
    text = " ".join(parameter.split())
    match = re.fullmatch(r"((?:const )?(?:struct )?\w+)(?: ?(\*+) ?| )\w+", text)
    if not match:
        raise ValueError("cannot read this parameter: " + parameter)
    return match.group(1).replace("struct ", "") + (match.group(2) or "")


def _function(match):
    parameters = match.group(3).strip()
    if parameters == "void":
        types = ()
    else:
        types = tuple(_parameter_type(p) for p in parameters.split(","))
    return Function(match.group(2), match.group(1).strip(), types)


def _field(text):
    match = re.fullmatch(r"((?:struct )?\w+\**) (\w+)(?:\[(\d+)\])?", " ".join(text.split()))
    if not match:
        raise ValueError("cannot read this field: " + text)
    return Field(match.group(2), match.group(1).replace("struct ", ""), int(match.group(3) or 0))


def _fields(body):
    return tuple(_field(f) for f in body.split(";") if f.strip())


def _enumerators(body):
    names = []
    for entry in filter(None, (e.strip() for e in body.split(","))):
        match = re.fullmatch(r"(MOORING_\w+) = .+", entry)
        if not match:
            raise ValueError("write the value of this enumerator: " + entry)
        names.append(match.group(1))
    return names


def _macros(text):
    """Names of macros whose value is a number, and the text without preprocessor lines."""
    names, rest = [], []
    for line in text.replace("\\\n", " ").split("\n"):
        if not line.startswith("#"):
            rest.append(line)
            continue
        match = _MACRO.match(line)
        if match:
            name, takes_arguments, value = match.groups()
            if value.strip() and not takes_arguments and not _NOT_CONSTANTS.match(name):
                names.append(name)
    return names, "\n".join(rest)


def _in_order(names, text):
    """Sorts names of constants by the place in `text` where each is defined."""
    definition = re.compile(r"^#define (MOORING_\w+)|\b(MOORING_\w+)\s*=", re.MULTILINE)
    places = {m.group(1) or m.group(2): m.start() for m in definition.finditer(text)}
    return sorted(names, key=places.__getitem__)


def _take(pattern, text):
    """All matches of `pattern`, and the text without them."""
    return list(pattern.finditer(text)), pattern.sub("", text)


def _parse_header(text):
    text = _without_comments(text)
    constants, rest = _macros(text)
    rest = " ".join(rest.split())
    functions, rest = _take(_FUNCTION, rest)
    structs, rest = _take(_STRUCT, rest)
    enums, rest = _take(_ENUM, rest)
    integers, rest = _take(_INTEGER, rest)
    handles, rest = _take(_HANDLE, rest)
    rest = _FORWARD.sub("", rest)
    rest = rest.replace("MOORING_BEGIN_DECLS", "").replace("MOORING_END_DECLS", "").strip()
    if rest:
        raise ValueError("cannot read this declaration: " + rest[:200])
    for enum in enums:
        constants += _enumerators(enum.group(1))
    return Declarations(
        {match.group(2): _function(match) for match in functions},
        {match.group(3): _fields(match.group(2)) for match in structs},
        tuple(_in_order(constants, text)),
        {match.group(2): match.group(1) for match in integers},
        tuple(match.group(2) for match in handles),
        {},
    )


def parse(texts):
    """Declarations of all headers: `texts` maps the noun of each header to its text."""
    functions, structs, constants, integers, handles, nouns = {}, {}, [], {}, [], {}
    for noun, text in texts.items():
        header = _parse_header(text)
        functions.update(header.functions)
        structs.update(header.structs)
        constants += header.constants
        integers.update(header.integers)
        handles += header.handles
        for name in (*header.functions, *header.structs, *header.constants):
            nouns[name] = noun
    return Declarations(functions, structs, tuple(constants), integers, tuple(handles), nouns)


def parse_files(paths):
    """Declarations of the headers at `paths`, in the order of `paths`."""
    texts = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts[os.path.basename(path).removesuffix(".h")] = file.read()
    return parse(texts)
