"""The reader of the C headers finds every declaration, and rejects those that it cannot read."""

import unittest

from c_api.tests import headers

HEADER = """\
// thing.h: a test; "typedef struct no_t {" in a comment is text.
#ifndef MOORING_THING_H_
#define MOORING_THING_H_
#include <stdint.h>
MOORING_BEGIN_DECLS
struct mooring_other_t;
typedef struct mooring_thing_t mooring_thing_t;
typedef uint16_t mooring_kind_t;
enum {
  MOORING_KIND_A = 0,  // one
  MOORING_KIND_B = 1u << 3
};
#define MOORING_THING_MAX UINT64_C(7)
#define MOORING_PACK(a, b) \\
  ((a) + (b))
#define MOORING_THING_OPTIONS_INIT \\
  { 0 }
typedef struct mooring_record_t {
  mooring_kind_t kind;             // 0
  struct mooring_other_t* other;
  char text[16];
} mooring_record_t;
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_thing_get(
    const mooring_thing_t* thing, mooring_record_t** out_record,
    uint64_t size) MOORING_NOEXCEPT;
MOORING_API uint32_t mooring_thing_count(void) MOORING_NOEXCEPT;
MOORING_END_DECLS
#endif
"""


class HeadersTest(unittest.TestCase):
    def setUp(self):
        self.read = headers.parse({"thing": HEADER})

    def test_functions(self):
        get = headers.Function(
            "mooring_thing_get",
            "mooring_error_t*",
            ("const mooring_thing_t*", "mooring_record_t**", "uint64_t"),
        )
        count = headers.Function("mooring_thing_count", "uint32_t", ())
        self.assertEqual(list(self.read.functions.values()), [get, count])

    def test_structs(self):
        fields = (
            headers.Field("kind", "mooring_kind_t", 0),
            headers.Field("other", "mooring_other_t*", 0),
            headers.Field("text", "char", 16),
        )
        self.assertEqual(self.read.structs, {"mooring_record_t": fields})

    def test_constants(self):
        constants = ("MOORING_KIND_A", "MOORING_KIND_B", "MOORING_THING_MAX")
        self.assertEqual(self.read.constants, constants)

    def test_nouns(self):
        names = ("mooring_thing_get", "mooring_record_t", "MOORING_KIND_A")
        self.assertEqual([self.read.nouns[name] for name in names], ["thing"] * 3)

    def test_types(self):
        self.assertEqual(self.read.integers, {"mooring_kind_t": "uint16_t"})
        self.assertEqual(self.read.handles, ("mooring_thing_t",))

    def assert_rejected(self, declaration):
        with self.assertRaisesRegex(ValueError, "cannot read|write the value"):
            headers.parse({"thing": HEADER + declaration})

    def test_rejects_declarations_that_it_cannot_read(self):
        self.assert_rejected("typedef void (*mooring_callback_t)(void*);")
        self.assert_rejected("extern int mooring_global;")
        self.assert_rejected("typedef struct x_t { int bits : 3; } x_t;")
        self.assert_rejected("enum { MOORING_KIND_C };")
        self.assert_rejected("MOORING_API void mooring_f(int) MOORING_NOEXCEPT;")


if __name__ == "__main__":
    unittest.main()
