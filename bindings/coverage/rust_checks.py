"""Writes a Rust test that compares mooring_sys with the C headers: functions, fields and constants.

Usage: rust_checks.py c_api/abi/layout.txt HEADER... > declarations_test.rs

The test does not compile if a declaration is missing in mooring_sys or has another type. It fails
if a field has another offset or a constant has another value. Each line names the file to edit.
"""

import re
import sys

from c_api.tests import headers

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
    """C types in Rust's notation.

    Aliases of integers are resolved. Otherwise an alias of the wrong width would be compared with
    itself.
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
        raise ValueError("add the Rust type to _SCALARS, for " + name)

    def of(self, c_type):
        const, name, stars = re.fullmatch(r"(const )?(\w+)(\**)", c_type).groups()
        if const and len(stars) != 1:
            raise ValueError("only a single pointer may be const: " + c_type)
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
                raise ValueError("cannot read this line: " + line)
            table[kinds[0]].append(forms[kinds[0]].fullmatch(line).groups())
    return table


def _edit(declarations, name):
    """What to do when the compiler rejects the line, or the test fails there."""
    return f"edit bindings/rust/mooring_sys/src/{declarations.nouns[name]}.rs"


def _functions(declarations, types):
    for name, function in declarations.functions.items():
        yield f"const _: {types.of_function(function)} = {name}; // {_edit(declarations, name)}"


def _field_types(declarations, types):
    for struct, fields in declarations.structs.items():
        edit = _edit(declarations, struct)
        for field in fields:
            field_type = types.of_field(field)
            yield f"const _: fn(&{struct}) -> &{field_type} = |s| &s.{field.name}; // {edit}"


def _linked(declarations):
    """Takes the address of every function, so that the linker must find each in the library."""
    yield "#[test]\nfn every_function_is_in_the_shared_library() {"
    yield f"    let functions: [(&str, *const ()); {len(declarations.functions)}] = ["
    for name in declarations.functions:
        yield f'        ("{name}", {name} as *const ()),'
    yield "    ];"
    yield "    let mut addresses = std::collections::HashSet::new();"
    yield "    for (name, address) in functions {"
    yield '        assert!(addresses.insert(address), "{name} has the address of another");'
    yield "    }\n}"


def _layouts(table, declarations):
    yield "#[test]\nfn structs_have_the_layout_of_c() {"
    for struct, size, alignment in table["struct"]:
        edit = _edit(declarations, struct)
        yield f'    assert_eq!(size_of::<{struct}>(), {size}, "size of {struct}: {edit}");'
        yield f'    assert_eq!(align_of::<{struct}>(), {alignment}, "align of {struct}: {edit}");'
    for struct, name, offset in table["field"]:
        edit = _edit(declarations, struct)
        yield f'    assert_eq!(offset_of!({struct}, {name}), {offset}, "{struct}.{name}: {edit}");'
    yield "}"


def _constants(table, declarations):
    yield "#[test]\nfn constants_have_the_values_of_c() {"
    for name, value in table["constant"]:
        edit = _edit(declarations, name)
        yield f'    assert_eq!(u64::from({name}), {value}, "{name}"); // {edit}'
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
        _layouts(table, declarations),
        _constants(table, declarations),
    ):
        print("\n".join(part) + "\n")


if __name__ == "__main__":
    main()
