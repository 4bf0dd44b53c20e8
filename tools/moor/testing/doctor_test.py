"""`moor doctor`: its findings, as text and as JSON."""

import json
import os
import platform
import resource
import unittest

from tools.moor.testing.files import MIB
from tools.moor.testing.moor_test_case import MoorTestCase, has_io_uring, is_root


class DoctorTest(MoorTestCase):
    def doctor(self, *options, **run_options):
        result = self.run_moor("doctor", "--json", *options, **run_options)
        self.assertEqual(result.stderr, b"")
        return self.report(result)

    def test_reports_the_values_of_the_system(self):
        report = self.doctor()
        soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        unlimited = resource.RLIM_INFINITY
        self.assertEqual(report["kernel"]["release"], platform.release())
        self.assertEqual(report["memlock"]["soft_bytes"], None if soft == unlimited else soft)
        self.assertEqual(report["memlock"]["hard_bytes"], None if hard == unlimited else hard)
        self.assertEqual(report["page_bytes"], resource.getpagesize())
        self.assertEqual(report["cpus"], len(os.sched_getaffinity(0)))
        self.assertGreaterEqual(report["numa"]["nodes"], 1)

    def test_tries_a_slab(self):
        report = self.doctor("--slab-bytes", "4M")
        self.assertEqual(report["slab"]["bytes"], 4 * MIB)
        self.assertEqual(report["registration"]["bytes_requested"], 4 * MIB)
        self.assertEqual(self.doctor()["slab"]["bytes"], 64 * MIB)

    def test_finds_io_uring(self):
        self.require("io_uring", has_io_uring())
        report = self.doctor()
        self.assertEqual(report["engine"]["name"], "io_uring")
        self.assertEqual(report["engine"]["reason"], "none")
        self.assertTrue(report["features"]["fixed_buffers"])

    def test_reports_a_rejected_io_uring_and_the_remedy(self):
        for errno_name, reason in (("EPERM", "io_uring_denied"), ("ENOSYS", "io_uring_missing")):
            report = self.doctor(refuse=errno_name)
            self.assertEqual(report["engine"]["name"], "threads")
            self.assertEqual(report["engine"]["reason"], reason)
            self.assertIn(report["engine"]["remedy"], report["changes"])
            self.assertEqual(set(report["features"].values()), {False})

    def test_slab_that_is_too_large_is_reported(self):
        report = self.doctor("--slab-bytes", "100000T", "--json")
        self.assertNotEqual(report["slab"]["error"]["remedy"], "")
        self.assertNotIn("registration", report)
        self.assertIn(report["slab"]["error"]["remedy"], report["changes"])

    def test_text_has_sections(self):
        result = self.assert_succeeds(self.run_moor("doctor"))
        lines = result.stdout.decode().splitlines()
        for section in (
            "kernel",
            "engine",
            "features",
            "memlock",
            "huge pages",
            "NUMA",
            "slab of 64 MiB (67,108,864 bytes)",
            "what to change",
        ):
            self.assertIn(section, lines)
        self.assertTrue(any(platform.release() in line for line in lines))

    def test_nothing_to_change_is_reported(self):
        self.require("io_uring", has_io_uring())
        self.require("root", is_root())
        text = self.assert_succeeds(self.run_moor("doctor")).stdout.decode()
        self.assertTrue(text.endswith("what to change\n  nothing\n"), text)
        self.assertEqual(self.doctor()["changes"], [])

    def test_json_is_one_line(self):
        result = self.run_moor("doctor", "--json")
        self.assertEqual(len(result.stdout.splitlines()), 1)
        json.loads(result.stdout)


if __name__ == "__main__":
    unittest.main()
