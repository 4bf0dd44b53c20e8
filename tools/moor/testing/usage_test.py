"""The command line: help, version, and exit status 2 for wrong usage."""

import unittest

from tools.moor.testing.files import write_random
from tools.moor.testing.moor_test_case import MoorTestCase


class UsageTest(MoorTestCase):
    def test_wrong_command_lines(self):
        write_random(self.path("a"), 10)
        a, b = self.path("a"), self.path("b")
        for arguments in (
            [],
            ["bogus"],
            ["copy", a],
            ["copy", a, b, "c"],
            ["copy", a, b, "--bogus"],
            ["copy", a, b, "--engine", "magic"],
            ["copy", a, b, "--registration", "maybe"],
            ["copy", a, b, "--slab-bytes", "many"],
            ["copy", a, b, "--slab-bytes", "64K", "--buffer-bytes", "1M"],
            ["copy", a, b, "--buffer-bytes", "1000"],
            ["copy", a, b, "--window-bytes", "1G"],
            ["stream", a, "--to", "nowhere"],
            ["stream", a, "--digest", "md5"],
            ["doctor", a],
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.run_moor(*arguments), status=2)
        self.assertEqual(self.names(), ["a"])

    def test_help_of_each_command(self):
        for arguments in (
            ["--help"],
            ["copy", "--help"],
            ["stream", "-h"],
            ["receive", "-h"],
            ["doctor", "--help"],
        ):
            result = self.assert_succeeds(self.run_moor(*arguments))
            self.assertIn(b"Examples:", result.stdout)
            self.assertEqual(result.stderr, b"")

    def test_version(self):
        result = self.assert_succeeds(self.run_moor("--version"))
        self.assertRegex(result.stdout, rb"^moor \d+\.\d+\.\d+\n$")

    def test_sizes_with_units(self):
        write_random(self.path("a"), 10)
        report = self.report(
            self.run_moor("stream", "--json", "--slab-bytes", "1G", self.path("a"))
        )
        self.assertEqual(report["registration"]["bytes_requested"], 1 << 30)


if __name__ == "__main__":
    unittest.main()
