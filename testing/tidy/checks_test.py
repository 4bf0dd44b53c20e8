"""Each check reports a bad example, and accepts a good one."""

import unittest

from testing.tidy import build_files, comments, completeness, declarations, includes, lengths
from testing.tidy import public_headers, quotes, words
from testing.tidy.source_tree import SourceFile

GOOD_COMMENT = """\
// mooring_x_get says what x is.
//
// Thread: any.
// Errors: none.
// Since:  0.1
"""
DECLARATION = "MOORING_API mooring_error_t* mooring_x_get(const char* name)\n    NOEXCEPT;\n"


def findings(check, path, text):
    return [finding.message for finding in check(SourceFile(path, text))]


class ChecksTest(unittest.TestCase):
    def assert_caught(self, check, path, text, expected):
        found = findings(check, path, text)
        self.assertTrue(any(expected in message for message in found), found)

    def assert_passed(self, check, path, text):
        self.assertEqual(findings(check, path, text), [])

    def test_file_length(self):
        check = lengths.check_file_length
        self.assert_caught(check, "cpp/a.cc", "\n" * 401, "401 lines")
        self.assert_caught(check, "build_tools/a", "#!/bin/sh\n" + "\n" * 400, "401")
        self.assert_passed(check, "cpp/a.cc", "\n" * 400)
        self.assert_passed(check, "c_api/abi/symbols.txt", "x\n" * 999)

    def test_function_length(self):
        body = "  a = 1;\n"
        check = lengths.check_function_length
        self.assert_caught(check, "a.cc", "void F() {\n" + body * 69 + "}\n", "of 71 lines")
        self.assert_passed(check, "a.cc", "void F() {\n" + body * 68 + "}\n")

    def test_line_length(self):
        check = lengths.check_line_length
        self.assert_caught(check, "cpp/a.cc", "//" + "x" * 99 + "\n", "101 columns")
        self.assert_passed(check, "cpp/a.cc", "//" + "x" * 98 + "\n")
        self.assert_passed(check, "docs/A.md", "x" * 200 + "\n")

    def test_words(self):
        check = words.check_words
        self.assert_caught(check, "a.cc", "// Whoever comes first.\n", "the thread that")
        self.assert_caught(check, "a.md", "It waits for\never.\n", '"for ever" is not used')
        self.assert_caught(check, "a.cc", "// It waits for\n// ever.\n", '"for ever" is not used')
        self.assert_caught(check, "a.py", '"""He who asks."""\n', "the caller")
        self.assert_passed(check, "a.cc", "// The thread that comes first.\nfile.tell();\n")
        self.assert_passed(check, "a.py", "position = file.tell()\nthis, there, retold\n")

    def test_include_owners(self):
        check = includes.check_include_owners
        self.assert_caught(check, "cpp/slabs/a.cc", "#include <liburing.h>\n", "only cpp/engine/")
        self.assert_caught(check, "cpp/ring/a.cc", "#include <numa.h>\n", "only cpp/os")
        self.assert_caught(check, "c_api/src/a.cc", "#  include <sys/mman.h>\n", "only cpp/os")
        self.assert_caught(check, "tools/moor/a.cc", "#include <sys/resource.h>\n", "only cpp/os")
        self.assert_caught(check, "cpp/device/device.h", "#include <cuda.h>\n", "only cpp/device/")
        self.assert_passed(check, "cpp/engine/io_uring/a.cc", "#include <liburing.h>\n")
        self.assert_passed(check, "cpp/os/a.h", "#include <sys/mman.h>\n")
        self.assert_passed(check, "cpp/slabs/slab_test.cc", "#include <sys/mman.h>\n")
        self.assert_passed(check, "benchmarks/micro/a.cc", "#include <liburing.h>\n")

    def test_include_layers(self):
        check = includes.check_include_layers
        self.assert_caught(check, "cpp/slabs/a.cc", '#include "cpp/ring/ring.h"\n', "see cpp/ring")
        self.assert_caught(check, "cpp/base/a.cc", '#include "cpp/os/map.h"\n', "see cpp/os")
        self.assert_caught(check, "cpp/ring/a.cc", '#include "c_api/src/a.h"\n', "see c_api")
        self.assert_caught(check, "tools/moor/a.cc", '#include "cpp/base/status.h"\n', "only the C")
        self.assert_caught(check, "cpp/novel/a.cc", "int x;\n", "no layer")
        self.assert_passed(check, "cpp/slabs/a.cc", '#include "cpp/os/map.h"\n')
        self.assert_passed(check, "cpp/slabs/a.cc", '#include "cpp/slabs/a.h"\n')
        self.assert_passed(check, "cpp/stream/a.cc", "#include <string>\n")
        self.assert_passed(check, "tools/moor/a.cc", "#include <mooring/mooring.h>\n")

    def test_hidden_headers(self):
        check, line = includes.check_hidden_headers, '#include "cpp/registration/whole_table.h"\n'
        self.assert_caught(check, "cpp/registration/buffer_table.cc", line, "behind an interface")
        self.assert_passed(check, "cpp/registration/kernel_table.cc", line)
        self.assert_passed(check, "cpp/registration/whole_table_test.cc", line)

    def test_unfinished(self):
        check = comments.check_unfinished
        self.assert_caught(check, "a.cc", "// TO" + "DO: later\n", "without an issue")
        self.assert_caught(check, "a.py", "# FIX" + "ME\n", "must not be merged")
        self.assert_passed(check, "a.cc", "// TO" + "DO(#12): later\n")

    def test_tags(self):
        check = build_files.check_tags
        self.assert_caught(check, "cpp/BUILD.bazel", 'tags = [\n    "flaky_one",\n]', "flaky_one")
        self.assert_passed(check, "cpp/BUILD.bazel", 'tags = ["io_uring", "manual"]')

    def test_downloads(self):
        check = build_files.check_downloads
        self.assert_caught(check, "WORKSPACE", "http_" + "archive()\n", "downloads nothing")
        self.assert_passed(check, "WORKSPACE", "local_repository(name = 'x')\n")

    def test_hosts(self):
        check = build_files.check_hosts
        self.assert_caught(check, "a.sh", "curl https://" + "x.invalid.net/y\n", "x.invalid.net")
        self.assert_passed(check, "a.cc", "// https://man7.org/linux/man-pages\n")

    def test_public_comments(self):
        check, path = public_headers.check_public_comments, "c_api/include/mooring/x.h"
        self.assert_passed(check, path, GOOD_COMMENT + DECLARATION)
        self.assert_caught(check, path, DECLARATION, 'must begin with "mooring_x_get"')
        self.assert_caught(check, path, "// Gets x.\n" + DECLARATION, "must begin with")
        for label in ("Thread:", "Errors:", "Since:"):
            text = GOOD_COMMENT.replace(label, "Other:") + DECLARATION
            self.assert_caught(check, path, text, f'no "{label}" line')

    def test_every_source_is_built(self):
        build = SourceFile("cpp/a/BUILD.bazel", '"a.cc" "sub/b.h" glob(["rs/*.rs"])')
        known = [SourceFile("cpp/a/" + name, "") for name in ("a.cc", "sub/b.h", "rs/c.rs")]
        check = completeness.check_every_source_is_built
        self.assertEqual(list(check([build] + known)), [])
        for path in ("cpp/a/forgotten_test.cc", "cpp/b/a.cc"):
            self.assertEqual([found.path for found in check([build, SourceFile(path, "")])], [path])

    def test_quotes(self):
        example = SourceFile("examples/c/a.c", "int main(void) {\n  f(1);\n  g(2);\n}\n")
        good = SourceFile("README.md", "```c\nf(1);\ng(2);\n```\n")
        bad = SourceFile("README.md", "Text.\n```c\nf(1);\ng(3);\n```\n")
        self.assertEqual(list(quotes.check_quotes([example, good])), [])
        self.assertEqual([found.line for found in quotes.check_quotes([example, bad])], [2])

    def test_dead_declarations(self):
        header = SourceFile("cpp/a/a.h", "class A {\n  void Used();\n  void Unused();\n};\n")
        code = SourceFile("cpp/a/a.cc", "void A::Used() {}\nvoid A::Unused() {}\n")
        user = SourceFile("cpp/b/b.cc", "void F(A& a) { a.Used(); }  // not Unused\n")
        found = list(declarations.check_dead_declarations([header, code, user]))
        self.assertEqual([finding.line for finding in found], [3])

    def test_every_layer_is_tested(self):
        sources = [
            SourceFile("cpp/os/a.cc", ""),
            SourceFile("cpp/base/a.cc", ""),
            SourceFile("testing/layering/BUILD.bazel", 'layer_test("cpp/os", ["os"])'),
        ]
        found = [str(finding) for finding in completeness.check_every_layer_is_tested(sources)]
        self.assertEqual(len(found), 1)
        self.assertIn("cpp/base", found[0])


if __name__ == "__main__":
    unittest.main()
