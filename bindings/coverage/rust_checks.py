"""Writes a Rust test that holds mooring_sys to the C headers: functions, fields and constants.

Usage: rust_checks.py c_api/abi/layout.txt HEADER... > declarations_test.rs

What is missing in mooring_sys, or has another type, does not compile; what lies elsewhere in
memory, or has another value, fails.
"""

import re
import sys

from bindings.coverage import headers

_SCALARS = {
    "char": "c_char",
    "int32_t": "i32",
    "int64_t": "i64",
    "uint16_t": "u16",
    "uint32_t": "u32",
    "uint64_t": "u64",
    "void": "c_void",
}

_PROLOGUE = """\
//! Written by rust_checks.py from the C headers.

use std::ffi::{c_char, c_void};
use std::mem::{align_of, offset_of, size_of};

use mooring_sys::*;
"""


class Types:
    """C types as Rust spells them.

    Aliases of integers are resolved: one that had the wrong width would else be checked by itself.
    """

    def __init__(self, declarations):
        self._integers = declarations.integers
        self._structs = set(declarations.structs) | set(declarations.handles)

    def _name(self, name):
        name = self._integers.get(name, name)
        if name in self._structs:
            return name
        if name in _SCALARS:
            return _SCALARS[name]
        raise ValueError("no Rust type is known for " + name)

    def of(self, c_type):
        const, name, stars = re.fullmatch(r"(const )?(\w+)(\**)", c_type).groups()
        if const and len(stars) != 1:
            raise ValueError("only a plain pointer may be const: " + c_type)
        return ("*const " if const else "*mut " * len(stars)) + self._name(name)

    def of_field(self, field):
        plain = self.of(field.type)
        return f"[{plain}; {field.array_count}]" if field.array_count else plain

    def of_function(self, function):
        parameters = ", ".join(self.of(p) for p in function.parameters)
        returns = "" if function.returns == "void" else " -> " + self.of(function.returns)
        return f'unsafe extern "C" fn({parameters}){returns}'


def _read_table(path):
    """The structs, fields and constants of c_api/abi/layout.txt, as tuples of words."""
    forms = {
        "struct": re.compile(r"(\w+) size (\d+) align (\d+)"),
        "field": re.compile(r"(\w+)\.(\w+) offset (\d+) size \d+"),
        "constant": re.compile(r"(\w+) (\d+)"),
    }
    table = {kind: [] for kind in forms}
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            kinds = [kind for kind, form in forms.items() if form.fullmatch(line)]
            if len(kinds) != 1:
                raise ValueError("not a line that is understood: " + line)
            table[kinds[0]].append(forms[kinds[0]].fullmatch(line).groups())
    return table


def _functions(declarations, types):
    for function in declarations.functions.values():
        yield f"const _: {types.of_function(function)} = {function.name};"


def _field_types(declarations, types):
    for struct, fields in declarations.structs.items():
        for field in fields:
            yield f"const _: fn(&{struct}) -> &{types.of_field(field)} = |s| &s.{field.name};"


def _linked(declarations):
    """Takes the address of every function, so that the linker must find each in the library."""
    yield "#[test]\nfn every_function_is_in_the_shared_library() {"
    yield f"    let functions: [(&str, *const ()); {len(declarations.functions)}] = ["
    for name in declarations.functions:
        yield f'        ("{name}", {name} as *const ()),'
    yield "    ];"
    yield "    let mut addresses = std::collections::HashSet::new();"
    yield "    for (name, address) in functions {"
    yield '        assert!(addresses.insert(address), "{name} lies where another function lies");'
    yield "    }\n}"


def _layouts(table):
    yield "#[test]\nfn structs_lie_in_memory_as_in_c() {"
    for struct, size, alignment in table["struct"]:
        yield f'    assert_eq!(size_of::<{struct}>(), {size}, "size of {struct}");'
        yield f'    assert_eq!(align_of::<{struct}>(), {alignment}, "alignment of {struct}");'
    for struct, name, offset in table["field"]:
        yield f'    assert_eq!(offset_of!({struct}, {name}), {offset}, "{struct}.{name}");'
    yield "}"


def _constants(table):
    yield "#[test]\nfn constants_have_the_values_of_c() {"
    for name, value in table["constant"]:
        yield f'    assert_eq!(u64::from({name}), {value}, "{name}");'
    yield "}"


def main():
    table = _read_table(sys.argv[1])
    declarations = headers.parse_files(sys.argv[2:])
    types = Types(declarations)
    print(_PROLOGUE)
    for part in (
        _functions(declarations, types),
        _field_types(declarations, types),
        _linked(declarations),
        _layouts(table),
        _constants(table),
    ):
        print("\n".join(part) + "\n")


if __name__ == "__main__":
    main()
