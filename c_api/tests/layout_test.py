"""The headers have the sizes, offsets and values of c_api/abi/layout.txt."""

import glob
import unittest

from c_api.tests import headers, layout

GOLDEN = """\
mooring_info_t size 8 align 8
mooring_info_t.struct_size offset 0 size 4
mooring_info_t.flags offset 4 size 4
mooring_record_t size 8 align 8
mooring_record_t.value offset 0 size 8
MOORING_KIND_A 0
"""
NOUNS = {"mooring_info_t": "thing", "mooring_record_t": "thing", "MOORING_KIND_A": "thing"}


class ReleasedLayoutTest(unittest.TestCase):
    def test_headers_have_the_released_layout(self):
        declarations = headers.parse_files(glob.glob("c_api/include/mooring/*.h"))
        actual = layout.run("c_api/layout_dump")
        golden = layout.read("c_api/abi/layout.txt")
        text = layout.report(golden, actual, declarations.nouns)
        if text:
            self.fail(text)


class ReportTest(unittest.TestCase):
    def report(self, *replacements):
        actual = GOLDEN
        for old, new in replacements:
            self.assertIn(old, actual)
            actual = actual.replace(old, new)
        return layout.report(GOLDEN, actual, {**NOUNS, "MOORING_KIND_B": "thing"})

    def test_equal_layouts_need_no_report(self):
        self.assertEqual(self.report(), "")

    def test_a_new_field_names_the_command_and_the_files(self):
        flags = "mooring_info_t.flags offset 4 size 4\n"
        text = self.report(
            ("mooring_info_t size 8", "mooring_info_t size 16"),
            (flags, flags + "mooring_info_t.count offset 8 size 8\n"),
        )
        self.assertIn("mooring_info_t.count offset 8 size 8", text)
        self.assertIn("bazel run //c_api:update_layout", text)
        self.assertIn("c_api/src/thing.cc", text)
        self.assertIn("bindings/rust/mooring_sys/src/thing.rs", text)
        self.assertIn("bindings/go/internal/capi/types.go", text)

    def test_a_new_constant_names_the_files_of_constants(self):
        text = self.report(("MOORING_KIND_A 0\n", "MOORING_KIND_A 0\nMOORING_KIND_B 1\n"))
        self.assertIn("bindings/go/internal/capi/capi.go", text)
        self.assertNotIn("types.go", text)

    def assert_rejected(self, *replacements):
        text = self.report(*replacements)
        self.assertIn("is released", text)
        self.assertNotIn("update_layout", text)

    def test_released_lines_do_not_change(self):
        self.assert_rejected(("flags offset 4", "flags offset 8"))
        self.assert_rejected(("MOORING_KIND_A 0\n", ""))
        self.assert_rejected(("MOORING_KIND_A 0", "MOORING_KIND_A 1"))
        self.assert_rejected(("mooring_info_t size 8 align 8", "mooring_info_t size 4 align 4"))

    def test_a_struct_without_struct_size_does_not_grow(self):
        self.assert_rejected(("mooring_record_t size 8", "mooring_record_t size 16"))


if __name__ == "__main__":
    unittest.main()
