"""Every source is as its formatter writes it: build_tools/format --check, one test a language.

A machine without a formatter skips its language by name; MOORING_REQUIRE=formatters makes the skip
a failure.
"""

import os
import subprocess
import unittest

from testing.tidy.source_tree import find_root

_MISSING = 77


class FormatTest(unittest.TestCase):
    def check(self, language):
        command = [os.path.join(find_root(), "build_tools/format"), "--check", language]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        required = "formatters" in os.environ.get("MOORING_REQUIRE", "").split(",")
        if done.returncode == _MISSING and not required:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, "\n" + done.stdout)

    def test_cxx(self):
        self.check("cxx")

    def test_build_files(self):
        self.check("build")

    def test_rust(self):
        self.check("rust")

    def test_go(self):
        self.check("go")


if __name__ == "__main__":
    unittest.main()
