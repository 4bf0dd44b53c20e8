"""layout_source.py writes one line for each struct, field and constant, in order."""

import unittest

from c_api.tests import headers, layout_source

HEADER = """\
#define MOORING_VERSION_MAJOR 0
#define MOORING_THING_MAX UINT64_C(7)
enum { MOORING_KIND_A = 0, MOORING_KIND_B = 1u << 3 };
typedef struct mooring_first_t { uint32_t struct_size; char text[16]; } mooring_first_t;
typedef struct mooring_second_t { uint64_t value; } mooring_second_t;
"""


class LayoutSourceTest(unittest.TestCase):
    def test_lines_of_a_header(self):
        lines = list(layout_source.source_lines(headers.parse({"thing": HEADER})))
        expected = [
            "STRUCT(mooring_first_t);",
            "FIELD(mooring_first_t, struct_size);",
            "FIELD(mooring_first_t, text);",
            "STRUCT(mooring_second_t);",
            "FIELD(mooring_second_t, value);",
            "VALUE(MOORING_THING_MAX);",
            "VALUE(MOORING_KIND_A);",
            "VALUE(MOORING_KIND_B);",
        ]
        self.assertEqual([line.strip() for line in lines[1:-1]], expected)

    def test_a_new_header_comes_after_the_listed_ones(self):
        paths = ["x/device.h", "x/facts.h", "x/error.h", "x/stream.h", "x/operation.h"]
        expected = ["x/error.h", "x/operation.h", "x/facts.h", "x/device.h", "x/stream.h"]
        self.assertEqual(layout_source.in_order(paths), expected)


if __name__ == "__main__":
    unittest.main()
