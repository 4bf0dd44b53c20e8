"""Tests of the parts that need no kernel: pins, load order, report line, plan, table."""

import re
import unittest

from testing.kernels import cache, fetch, initramfs, machine, mirror, pins, plan, table
from testing.kernels.disk import Step
from testing.kernels.run import Kernel


def _package(name, version):
    return {"Package": name, "Version": version, "SHA256": "0" * 64, "Filename": f"pool/{name}.deb"}


class PinsTest(unittest.TestCase):
    def test_the_pins_of_this_repository_are_complete(self):
        found = pins.parse(fetch.read_pins())
        self.assertEqual(list(found), ["5.10", "6.1", "6.12", "newest"])
        for pin in (pin for of_kernel in found.values() for pin in of_kernel):
            self.assertRegex(pin.sha256, r"^[0-9a-f]{64}$")
            self.assertRegex(pin.path, re.escape(pin.package) + r"_.*\.deb$")

    def test_packages_are_read_from_an_index(self):
        text = "Package: a\nVersion: 1-1\nDescription: x\n y: z\n\nPackage: b\nVersion: 2\n"
        found = list(mirror.paragraphs(text))
        self.assertEqual([fields["Package"] for fields in found], ["a", "b"])
        self.assertEqual(found[0]["Version"], "1-1")

    def test_a_written_pin_is_read_back(self):
        package = "linux-image-5.10.0-1-amd64"
        pin = pins.Pin("5.10", "a", package, "5.10.2-1", "0" * 64, "pool/x.deb")
        self.assertEqual(pins.parse(f"# comment\n{pin}\n"), {"5.10": [pin]})

    def test_the_latest_of_a_series_is_chosen_by_version_and_not_by_name(self):
        packages = [
            _package("linux-image-6.1.0-9-amd64", "6.1.99-1"),
            _package("linux-image-6.1.0-10-amd64", "6.1.100-1"),
        ]
        packages.append(_package("linux-image-6.1.0-10-cloud-amd64", "6.1.101-1"))
        packages.append(_package("linux-image-6.12.0-1-amd64", "6.12.1-1"))
        chosen = pins.choose("6.1", "suite", packages)
        self.assertEqual([pin.package for pin in chosen], ["linux-image-6.1.0-10-amd64"])

    def test_a_kernel_in_two_packages_is_pinned_by_both(self):
        names = ["linux-image-7.3-amd64", "linux-binary-7.3-amd64", "linux-modules-7.3-amd64"]
        packages = [_package(name, "7.3-1") for name in names]
        packages.append(_package("linux-image-6.18-amd64", "6.18-1"))
        chosen = pins.choose("newest", "suite", packages)
        self.assertEqual([pin.package for pin in chosen], names[1:])

    def test_a_missing_series_has_no_pin(self):
        packages = [_package("linux-image-6.18-amd64", "6.18-1")]
        self.assertEqual(pins.choose("5.4", "suite", packages), [])


class ModulesTest(unittest.TestCase):
    class Archive(dict):
        """Modules by name, each with the list of the modules that it depends on."""

        def read(self, module):
            return b"\0depends=" + self[module].encode() + b"\0"

    def test_each_module_comes_once_and_after_its_dependencies(self):
        archive = self.Archive(ext4="jbd2,mbcache", jbd2="crc", mbcache="", crc="", disk="crc")
        names = [name for name, _ in cache.load_order(archive, ("disk", "ext4", "builtin"))]
        self.assertEqual(names, ["crc", "disk", "jbd2", "mbcache", "ext4"])


class InitramfsTest(unittest.TestCase):
    def test_entries_are_padded_to_four_bytes(self):
        for size in range(9):
            self.assertEqual(len(initramfs.entry(1, "abc", 0o100755, b"x" * size)) % 4, 0)


class MachineTest(unittest.TestCase):
    def parse(self, *lines):
        report = machine.Report()
        return report, machine.parse_report(lines, report, lambda line: None)

    def test_each_run_has_its_own_lines_and_ending(self):
        lines = ["@@ kernel 5.10", "@@ begin a", "[  PASSED  ]", "@@ end a exit 0", "@@ begin b"]
        report, done = self.parse(*lines, "@@ end b signal 11", "@@ done")
        self.assertTrue(done)
        found = [(run.name, run.ending, run.good) for run in report.runs]
        self.assertEqual(found, [("a", "exit 0", True), ("b", "signal 11", False)])
        self.assertEqual(report.runs[0].lines, ["[  PASSED  ]"])

    def test_a_machine_that_switches_off_early_is_not_done(self):
        report, done = self.parse("qemu: warning", "@@ kernel 5.10", "@@ begin a", "output")
        self.assertFalse(done)
        self.assertEqual(report.early, ["qemu: warning"])
        self.assertEqual(report.runs[-1].ending, "")

    def test_an_error_of_the_first_process_is_reported(self):
        with self.assertRaisesRegex(machine.MachineError, "mount /disk"):
            self.parse("@@ broken mount /disk: No such device")


class PlanTest(unittest.TestCase):
    STEPS = [
        Step("path:pinned", 1, "/p", ("--path",)),
        Step("pinned", 1, "/p", ("--gtest_filter=*",)),
    ]
    GOOD = ["[       OK ] pinned/A.B (1 ms)", "[  SKIPPED ] pinned/A.C (0 ms)"]

    def report(self, *runs):
        return machine.Report("5.10", [machine.Run(*run) for run in runs])

    def test_a_good_report_has_no_failures(self):
        path = ("path:pinned", "exit 0", ["path: fixed", "features: a b"])
        report = self.report(path, ("pinned", "exit 0", self.GOOD))
        self.assertEqual(plan.failures(report, self.STEPS), [])
        self.assertEqual(plan.paths(report), {"pinned": "fixed"})
        self.assertEqual(plan.features(report), ["a", "b"])
        self.assertEqual(plan.count(report.runs[1]), (1, 0, 1))

    def test_each_failed_ending_is_a_failure(self):
        path = ("path:pinned", "exit 0", ["path: fixed"])
        suites = ("pinned", "exit 0", self.GOOD)
        for runs, text in (
            ([path], "did not run"),
            ([path, ("pinned", "exit 1", self.GOOD)], "exit 1"),
            ([path, ("pinned", "timeout", [])], "timeout"),
            ([path, ("pinned", "exit 0", [])], "no test"),
            ([("path:pinned", "exit 0", ["path: failed: x"]), suites], "failed: x"),
            ([("path:pinned", "exit 0", []), suites], "path"),
        ):
            failures = plan.failures(self.report(*runs), self.STEPS)
            self.assertEqual(len(failures), 1, failures)
            self.assertIn(text, failures[0])


class TableTest(unittest.TestCase):
    def test_every_cell_is_in_the_text(self):
        kernels = [
            Kernel("5.10", "5.10.0", {"pinned": "fixed"}, ["sqpoll"]),
            Kernel("6.1", "6.1.0", {"pinned": "copy: x"}),
        ]
        text = table.render(kernels, ["pinned"])
        self.assertIn("| `pinned` | fixed | copy: x |", text)
        self.assertIn("| `sqpoll` | yes | no |", text)

    def test_an_empty_cell_is_rejected(self):
        with self.assertRaisesRegex(ValueError, "owner_thread"):
            kernels = [Kernel("5.10", "5.10.0", {"pinned": "fixed"})]
            table.render(kernels, ["pinned", "owner_thread"])


if __name__ == "__main__":
    unittest.main()
