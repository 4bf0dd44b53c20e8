"""Boots each kernel and runs a part of what `run` does: every path, the tests of backing and of the
memlock limit, and the registration suites of the configuration `pinned`. Without the emulator or a
kernel, a test is skipped with a message that names it. MOORING_REQUIRE makes such a skip a failure,
as in testing/support/require.h.
"""

import os
import tempfile
import unittest

from testing.kernels import disk, machine, plan, run

_REMEDY = "run testing/kernels/fetch.py"
_SUITES = (
    "pinned/Registrations.*",
    "pinned/Extents.*",
    "pinned/AdoptedBacking.*",
    "pinned/Backing.*",
)

# The paths that differ between kernels. _EVERYWHERE has the paths that are the same on all.
_PATHS = {
    "5.10": {"owner_thread": "not here: defer_taskrun"},
    "newest": dict.fromkeys(
        ("pinned", "huge_pages", "no_zero_copy", "owner_thread", "sqpoll"), "fixed, cloned"
    ),
}
_EVERYWHERE = {
    "pinned": "fixed",
    "huge_pages": "fixed",
    "owner_thread": "fixed",
    "sqpoll": "fixed",
    "no_clone": "fixed",
    "no_zero_copy": "fixed",
    "threads": "threads: policy",
    "seccomp_eperm": "threads: io_uring_denied",
    "seccomp_enosys": "threads: io_uring_missing",
}


def _is_required(feature):
    return feature in os.environ.get("MOORING_REQUIRE", "").split(",")


class KernelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernels = run.known_kernels()
        cls.steps = plan.steps(os.getcwd(), suites=())
        suites = plan.steps(os.getcwd(), ("pinned",), _SUITES)
        cls.steps += [step for step in suites if step.name == "pinned"]
        work = tempfile.TemporaryDirectory()
        cls.addClassCleanup(work.cleanup)
        cls.work = work.name
        cls.image = None

    def need(self, has, feature):
        if has:
            return
        if _is_required(feature):
            self.fail(f"MOORING_REQUIRE names {feature}, which is missing here: {_REMEDY}")
        self.skipTest(f"missing: {feature} ({_REMEDY})")

    def check(self, label):
        self.need(machine.missing() is None, "qemu")
        self.need(disk.mkfs() is not None, "mkfs.ext4")
        self.need(self.kernels[label] is not None, f"kernel_{label}")
        if self.image is None:
            type(self).image = disk.build(self.work, self.steps)
        report = run.boot(label, self.kernels[label], self.steps, self.work, self.image)
        failures = plan.failures(report, self.steps)
        self.assertFalse(failures, "\n".join([report.release] + failures))
        cloned = next(run for run in report.runs if run.name == "clone_budget")
        self.assertEqual(plan.count(cloned)[2] > 0, label != "newest", cloned.lines)
        expected = {**_EVERYWHERE, **_PATHS.get(label, {})}
        self.assertEqual(expected, {name: plan.paths(report).get(name) for name in expected})

    def test_5_10(self):
        self.check("5.10")

    def test_6_1(self):
        self.check("6.1")

    def test_6_12(self):
        self.check("6.12")

    def test_newest(self):
        self.check("newest")


if __name__ == "__main__":
    unittest.main()
