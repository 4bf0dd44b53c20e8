"""Writes the C program that prints sizes, offsets and values of the public headers.

Usage: layout_source.py HEADER... > layout_dump.c

The program prints a line for each struct and field, then a line for each constant, in the order of
the headers. Its output is c_api/abi/layout.txt.
"""

import os
import sys

from c_api.tests import headers

# The order of the headers in layout.txt. A header that is not listed comes last.
_ORDER = ("error", "operation", "slab", "ring", "registration", "facts")

# The version changes with each release: it is not a part of the layout.
_VERSION = "MOORING_VERSION"

_PROLOGUE = """\
// Written by c_api/tests/layout_source.py from the public headers.
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "mooring/mooring.h"

#define STRUCT(type) printf(#type " size %zu align %zu\\n", sizeof(type), _Alignof(type))
#define FIELD(type, field)                                                 \\
  printf(#type "." #field " offset %zu size %zu\\n", offsetof(type, field), \\
         sizeof(((type*)0)->field))
#define VALUE(name) printf(#name " %" PRIu64 "\\n", (uint64_t)(name))

int main(void) {"""

_EPILOGUE = """\
  return 0;
}"""


def in_order(paths):
    """The headers in the order of layout.txt, those that are not in the list by name."""

    def place(path):
        noun = os.path.basename(path).removesuffix(".h")
        return (_ORDER.index(noun) if noun in _ORDER else len(_ORDER), noun)

    return sorted(paths, key=place)


def source_lines(declarations):
    yield _PROLOGUE
    for struct, fields in declarations.structs.items():
        yield f"  STRUCT({struct});"
        for field in fields:
            yield f"  FIELD({struct}, {field.name});"
    for constant in declarations.constants:
        if not constant.startswith(_VERSION):
            yield f"  VALUE({constant});"
    yield _EPILOGUE


def main():
    print("\n".join(source_lines(headers.parse_files(in_order(sys.argv[1:])))))


if __name__ == "__main__":
    main()
