"""Each language binds every symbol of the library and every constant of its headers, once.

Other tests check types, layouts and values: rust_checks.py and go/internal/capi/layout_test.go.
"""

import glob
import re
import unittest

from c_api.tests import headers

_GO = "bindings/go/internal/capi/capi.go"
_RUST = "bindings/rust/mooring_sys/src/*.rs"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_all(pattern):
    paths = glob.glob(pattern)
    if not paths:
        raise AssertionError(f"no file matches {pattern}")
    return "\n".join(read(path) for path in sorted(paths))


def go_name(constant):
    """PathFixed for MOORING_PATH_FIXED. VERSION gets a prefix: a function has the name Version."""
    words = constant.removeprefix("MOORING_").split("_")
    prefix = "Header" if words[0] == "VERSION" else ""
    return prefix + "".join(word.capitalize() for word in words)


class CoverageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.symbols = re.findall(r"^mooring_\w+", read("c_api/abi/symbols.txt"), re.MULTILINE)
        cls.headers = headers.parse_files(glob.glob("c_api/include/mooring/*.h"))
        cls.rust = read_all(_RUST)
        cls.go = read(_GO)

    def assert_same(self, names, expected, file):
        missing, extra = set(expected) - set(names), set(names) - set(expected)
        self.assertFalse(missing, f"add these to {file}")
        self.assertFalse(extra, f"{file} has these, and the C headers do not")
        self.assertEqual(sorted(names), sorted(expected), f"{file} has one of these twice")

    def test_headers_have_symbols_and_constants(self):
        self.assertGreaterEqual(len(self.symbols), 34)
        self.assertGreaterEqual(len(self.headers.constants), 99)

    def test_symbols_are_those_of_the_headers(self):
        self.assert_same(self.symbols, self.headers.functions, "c_api/abi/symbols.txt")

    def test_constants_are_those_that_have_a_value_in_the_layout(self):
        listed = re.findall(r"^(MOORING_\w+) \d+$", read("c_api/abi/layout.txt"), re.MULTILINE)
        version = [c for c in self.headers.constants if c.startswith("MOORING_VERSION")]
        file = "c_api/abi/layout.txt (bazel run //c_api:update_layout)"
        self.assert_same(listed + version, self.headers.constants, file)

    def test_rust_binds_every_symbol(self):
        bound = re.findall(r"\bpub fn (mooring_\w+)", self.rust)
        self.assert_same(bound, self.symbols, _RUST)

    def test_go_binds_every_symbol(self):
        bound = re.findall(r"\bC\.(mooring_\w+)(?<!_t)\(", self.go)
        self.assert_same(bound, self.symbols, _GO)

    def test_rust_binds_every_constant(self):
        names = re.findall(r"\bpub const (MOORING_\w+):", self.rust)
        bound = [name for name in names if not name.endswith("_OPTIONS_INIT")]
        self.assert_same(bound, self.headers.constants, _RUST)

    def test_go_binds_every_constant_under_its_name(self):
        bound = re.findall(r"(\w+) +\w+ = C\.(MOORING_\w+)", self.go)
        self.assert_same(bound, [(go_name(c), c) for c in self.headers.constants], _GO)


class VersionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = read("c_api/include/mooring/version.h")
        numbers = re.findall(r"#define MOORING_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)\n", text)
        cls.version = ".".join(numbers)

    def test_header_has_three_numbers(self):
        self.assertRegex(self.version, r"^\d+\.\d+\.\d+$")

    def test_cargo(self):
        version = re.search(r'^version = "(.*)"$', read("bindings/rust/Cargo.toml"), re.MULTILINE)
        self.assertEqual(version.group(1), self.version)

    def test_go_module(self):
        tag = re.search(r"\btag bindings/go/v([\d.]+\d)", read("bindings/go/go.mod"))
        self.assertEqual(tag.group(1), self.version)


if __name__ == "__main__":
    unittest.main()
