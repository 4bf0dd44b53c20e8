"""What the C headers declare: functions, structs, constants, handles and integer types.

The headers keep to one form, so this reads that form and nothing else. What it does not understand
it refuses, by name: a declaration that is passed over in silence would be one that no binding is
checked against.
"""

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
    constants: tuple  # names, in order
    integers: dict  # typedef name -> base type
    handles: tuple  # opaque struct names


_FUNCTION = re.compile(
    r"MOORING_API (?:MOORING_NODISCARD )?([\w ]+?\**) ?(mooring_\w+)\(([^)]*)\) MOORING_NOEXCEPT;"
)
_STRUCT = re.compile(r"typedef struct (\w+) \{([^}]*)\} (\w+);")
_HANDLE = re.compile(r"typedef struct (\w+) (\w+);")
_INTEGER = re.compile(r"typedef (u?int\d+_t) (\w+);")
_ENUM = re.compile(r"enum \{([^}]*)\};")
_FORWARD = re.compile(r"struct \w+;")
_MACRO = re.compile(r"^#define (MOORING_\w+)(\(?)(.*)$")

# Macros that mark declarations or build other macros: no part of the binary interface.
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
        raise ValueError("not a parameter that is understood: " + parameter)
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
        raise ValueError("not a field that is understood: " + text)
    return Field(match.group(2), match.group(1).replace("struct ", ""), int(match.group(3) or 0))


def _fields(body):
    return tuple(_field(f) for f in body.split(";") if f.strip())


def _enumerators(body):
    names = []
    for entry in filter(None, (e.strip() for e in body.split(","))):
        match = re.fullmatch(r"(MOORING_\w+) = .+", entry)
        if not match:
            raise ValueError("an enumerator needs its value written out: " + entry)
        names.append(match.group(1))
    return names


def _macros(text):
    """Names of macros that stand for a number, and the text without preprocessor lines."""
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


def _take(pattern, text):
    """All matches of `pattern`, and the text without them."""
    return list(pattern.finditer(text)), pattern.sub("", text)


def parse(texts):
    """Declarations of all headers, given their texts in any order."""
    functions, structs, constants, integers, handles = {}, {}, [], {}, []
    for text in texts:
        names, rest = _macros(_without_comments(text))
        constants += names
        rest = " ".join(rest.split())
        found, rest = _take(_FUNCTION, rest)
        functions.update({m.group(2): _function(m) for m in found})
        found, rest = _take(_STRUCT, rest)
        structs.update({m.group(3): _fields(m.group(2)) for m in found})
        found, rest = _take(_ENUM, rest)
        for match in found:
            constants += _enumerators(match.group(1))
        found, rest = _take(_INTEGER, rest)
        integers.update({m.group(2): m.group(1) for m in found})
        found, rest = _take(_HANDLE, rest)
        handles += [m.group(2) for m in found]
        rest = _FORWARD.sub("", rest)
        rest = rest.replace("MOORING_BEGIN_DECLS", "").replace("MOORING_END_DECLS", "").strip()
        if rest:
            raise ValueError("not a declaration that is understood: " + rest[:200])
    return Declarations(functions, structs, tuple(constants), integers, tuple(handles))


def parse_files(paths):
    texts = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return parse(texts)
