"""The engine and the I/O path: as requested, or as the machine allows, with the reason."""

import os
import unittest

from tools.moor.testing.files import MIB, read, write_random
from tools.moor.testing.moor_test_case import MoorTestCase, has_io_uring, is_root


class PathTestCase(MoorTestCase):
    def setUp(self):
        super().setUp()
        self.data = write_random(self.path("a"), 5 * MIB + 1)

    def copy(self, *options, **run_options):
        result = self.run_moor(
            "copy", "--json", *options, self.path("a"), self.path("b"), **run_options
        )
        report = self.report(result)
        self.assertEqual(read(self.path("b")), self.data)
        return report

    def assert_nothing_fixed(self, report):
        self.assertEqual(report["registration"]["outcome"], "copy")
        self.assertEqual(report["registration"]["bytes_fixed"], 0)
        self.assertEqual(report["operations"]["read_fixed"], 0)
        self.assertEqual(report["operations"]["write_fixed"], 0)
        self.assertGreater(report["operations"]["read"], 0)
        self.assertGreater(report["operations"]["write"], 0)


class EngineTest(PathTestCase):
    def test_pinned_memory_is_used(self):
        self.require("io_uring", has_io_uring())
        self.require("root", is_root())
        report = self.copy()
        self.assertEqual(report["engine"]["name"], "io_uring")
        self.assertEqual(report["engine"]["reason"], "none")
        registration = report["registration"]
        self.assertEqual((registration["outcome"], registration["reason"]), ("fixed", "none"))
        self.assertEqual(registration["bytes_fixed"], registration["bytes_requested"])
        self.assertEqual(registration["bytes_requested"], 64 * MIB)
        self.assertGreater(report["operations"]["read_fixed"], 0)
        self.assertGreater(report["operations"]["write_fixed"], 0)
        self.assertEqual(report["operations"]["read"], 0)
        self.assertEqual(report["operations"]["write"], 0)

    def test_registration_never(self):
        self.require("io_uring", has_io_uring())
        report = self.copy("--registration", "never")
        self.assertEqual(report["engine"]["name"], "io_uring")
        self.assertEqual(report["registration"]["policy"], "never")
        self.assertEqual(report["registration"]["reason"], "policy")
        self.assert_nothing_fixed(report)

    def test_engine_threads(self):
        report = self.copy("--engine", "threads")
        self.assertEqual(report["engine"]["name"], "threads")
        self.assertEqual(report["engine"]["reason"], "policy")
        self.assertEqual(report["registration"]["reason"], "engine_threads")
        self.assert_nothing_fixed(report)

    def test_registration_require_with_threads_fails(self):
        result = self.run_moor(
            "copy",
            "--engine",
            "threads",
            "--registration",
            "require",
            self.path("a"),
            self.path("b"),
        )
        self.assert_fails(result, "threads")
        self.assertEqual(self.names(), ["a"])


class RejectedTest(PathTestCase):
    """Under a seccomp filter, as in a container."""

    def check_rejected(self, errno_name, reason):
        report = self.copy(refuse=errno_name)
        self.assertEqual(report["engine"]["name"], "threads")
        self.assertEqual(report["engine"]["reason"], reason)
        self.assertNotEqual(report["engine"]["remedy"], "")
        self.assertEqual(report["registration"]["reason"], "engine_threads")
        self.assertEqual(report["registration"]["remedy"], report["engine"]["remedy"])
        self.assert_nothing_fixed(report)
        for options in (["--engine", "io_uring"], ["--registration", "require"]):
            os.unlink(self.path("b"))
            result = self.run_moor(
                "copy", *options, self.path("a"), self.path("b"), refuse=errno_name
            )
            remedy = self.assert_fails(result)
            self.assertEqual(remedy, report["engine"]["remedy"])
            self.assertEqual(self.names(), ["a"])
            write_random(self.path("b"), 1)

    def test_denied(self):
        self.check_rejected("EPERM", "io_uring_denied")

    def test_missing(self):
        self.check_rejected("ENOSYS", "io_uring_missing")

    def test_text_report_has_reason_and_remedy(self):
        result = self.run_moor("stream", self.path("a"), refuse="EPERM")
        text = self.assert_succeeds(result).stdout.decode()
        self.assertIn("threads (io_uring_denied)", text)
        self.assertIn("remedy", text)


if __name__ == "__main__":
    unittest.main()
