"""A small memlock limit: the copy is correct, and the report has the limit and the remedy."""

import re
import unittest

from tools.moor.testing.files import MIB, read, write_random
from tools.moor.testing.moor_test_case import MoorTestCase, has_io_uring

LIMITS = (0, 64 << 10, 8 * MIB)


def numbers_of_bytes(text):
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) bytes", text)]


class MemlockTest(MoorTestCase):
    def setUp(self):
        super().setUp()
        self.require("io_uring", has_io_uring())
        self.data = write_random(self.path("a"), 20 * MIB + 1)

    def copy(self, memlock, *options):
        return self.run_unprivileged(
            "copy", *options, self.path("a"), self.path("b"), memlock=memlock
        )

    def test_limit_below_the_slab_copies_and_is_reported(self):
        for limit in LIMITS:
            with self.subTest(limit=limit):
                report = self.report(self.copy(limit, "--json"))
                self.assertEqual(read(self.path("b")), self.data)
                registration = report["registration"]
                self.assertIn(registration["outcome"], ("partial", "copy"))
                self.assertEqual(registration["policy"], "prefer")
                self.assertEqual(registration["memlock_soft_bytes"], limit)
                self.assertLessEqual(registration["bytes_fixed"], limit)
                self.assertIn("memlock_limit", (report["engine"]["reason"], registration["reason"]))
                named = numbers_of_bytes(registration["remedy"])
                self.assertIn(limit, named, registration["remedy"])
                self.assertGreaterEqual(max(named), 64 * MIB, "the required bytes")

    def test_require_fails_with_the_same_remedy_and_creates_no_file(self):
        for limit in LIMITS:
            with self.subTest(limit=limit):
                report = self.report(self.copy(limit, "--json", "--slab-bytes", "32M"))
                expected = report["registration"]["remedy"]
                result = self.run_unprivileged(
                    "copy",
                    "--registration",
                    "require",
                    "--slab-bytes",
                    "32M",
                    self.path("a"),
                    self.path("c"),
                    memlock=limit,
                )
                self.assertEqual(self.assert_fails(result), expected)
                self.assertEqual(self.names(), ["a", "b"])

    def test_prefix_is_pinned_and_used(self):
        report = self.report(self.copy(8 * MIB, "--json", "--buffer-bytes", "256K"))
        registration = report["registration"]
        self.assertEqual(registration["outcome"], "partial")
        self.assertEqual(registration["reason"], "memlock_limit")
        self.assertGreater(registration["bytes_fixed"], 4 * MIB)
        self.assertGreater(report["operations"]["read_fixed"], 0)
        self.assertEqual(read(self.path("b")), self.data)

    def test_slab_that_fits_is_fixed(self):
        report = self.report(self.copy(8 * MIB, "--json", "--slab-bytes", "4M"))
        self.assertEqual(report["registration"]["outcome"], "fixed")
        self.assertEqual(report["registration"]["remedy"], "")
        self.assertEqual(read(self.path("b")), self.data)

    def test_text_report_has_limit_and_remedy(self):
        text = self.assert_succeeds(self.copy(64 << 10)).stdout.decode()
        self.assertIn("memlock_limit", text)
        self.assertIn("remedy", text)
        self.assertIn(65536, numbers_of_bytes(text))

    def test_doctor_reports_what_to_change(self):
        result = self.run_unprivileged("doctor", memlock=64 << 10)
        text = self.assert_succeeds(result).stdout.decode()
        self.assertIn("memlock_limit", text)
        self.assertIn(65536, numbers_of_bytes(text.partition("what to change")[2]))


if __name__ == "__main__":
    unittest.main()
