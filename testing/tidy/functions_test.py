"""Functions are found where they are, in each language."""

import unittest

from testing.tidy.functions import find_functions
from testing.tidy.source_tree import SourceFile


def spans(path, text):
    return list(find_functions(SourceFile(path, text)))


class CxxFunctionsTest(unittest.TestCase):
    def test_plain_function(self):
        self.assertEqual(spans("a.cc", "int x;\n\nint F(int a) {\n  return a;\n}\n"), [(3, 5)])

    def test_namespaces_and_classes_are_no_functions(self):
        text = "namespace a {\nclass X : public Y {\n  int F() const {\n    return 1;\n  }\n};\n}\n"
        self.assertEqual(spans("a.h", text), [(3, 5)])

    def test_nested_blocks_belong_to_their_function(self):
        text = "void F() {\n  if (a) {\n    auto f = [&] {\n    };\n  }\n}\nvoid G() {\n}\n"
        self.assertEqual(spans("a.cc", text), [(1, 6), (7, 8)])

    def test_member_initialisers_with_braces(self):
        text = "X::X(int a)\n    : a_{a},\n      b_{1} {\n  Start();\n}\nint y;\n"
        self.assertEqual(spans("a.cc", text), [(1, 5)])

    def test_tables_are_no_functions(self):
        self.assertEqual(spans("a.cc", "constexpr X kX[] = {\n  {F(1)},\n};\nint kY{3};\n"), [])

    def test_function_that_returns_a_struct(self):
        self.assertEqual(spans("a.c", "struct stat Get(int fd) {\n}\n"), [(1, 2)])

    def test_type_with_an_attribute(self):
        self.assertEqual(spans("a.h", 'class CAPABILITY("m") alignas(64) X {\n};\n'), [])

    def test_template(self):
        text = "template <typename T = F<(1)>>\nclass X {\n};\ntemplate <int N>\nT F(T t) {\n}\n"
        self.assertEqual(spans("a.h", text), [(4, 6)])

    def test_braces_in_strings_comments_and_macros(self):
        text = "#define X(a) \\\n  {\nvoid F() {  // {\n  G(\"{\", '{', R\"({)\", 1'000);\n}\n"
        self.assertEqual(spans("a.cc", text), [(3, 5)])


class OtherLanguagesTest(unittest.TestCase):
    def test_python_and_starlark(self):
        text = "def f():\n    def g():\n        pass\n    return g\n"
        self.assertEqual(sorted(spans("a.py", text)), [(1, 4), (2, 3)])
        self.assertEqual(sorted(spans("a.bzl", text)), [(1, 4), (2, 3)])

    def test_go(self):
        text = "func F() {\n\tif x {\n\t}\n}\n\nfunc G() { return }\n"
        self.assertEqual(spans("a.go", text), [(1, 4)])

    def test_rust(self):
        text = "impl X {\n    pub unsafe fn f(\n        a: u8,\n    ) {\n        g();\n    }\n}\n"
        self.assertEqual(spans("a.rs", text), [(2, 6)])

    def test_shell(self):
        self.assertEqual(spans("a.sh", "f() {\n    g\n}\n"), [(1, 3)])
        self.assertEqual(spans("run", "#!/bin/bash\nf() {\n    g\n}\n"), [(2, 4)])


if __name__ == "__main__":
    unittest.main()
