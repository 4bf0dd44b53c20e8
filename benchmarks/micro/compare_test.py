"""compare reads a report, compares medians, and finds missed limits."""

import contextlib
import io
import json
import os
import tempfile
import unittest

from benchmarks.micro import compare

# Nanoseconds of one operation: with liburing, and through the library within each limit.
GOOD = {
    "read_fixed/owner_thread/32": (800.0, 816.0),
    "read_fixed/any_thread/32": (800.0, 880.0),
    "nop/owner_thread/32": (60.0, 72.0),
    "nop/any_thread/32": (60.0, 89.0),
}


def run(name, side, nanoseconds, **more):
    depth = int(name.split("/")[2])
    time = nanoseconds * depth
    return {
        "name": f"{name}/{side}/real_time",
        "run_type": "iteration",
        "repetitions": 3,
        "real_time": time,
        **more,
    }


def report(times, optimized="yes"):
    """Three repetitions of each side; the last is an outlier."""
    context = {"optimized": optimized, "kernel": "6.18", "date": "today"}
    context.update(num_cpus=2, mhz_per_cpu=2400, load_avg=[0.1, 0.2, 0.3])
    runs = []
    for name, sides in times.items():
        for side, nanoseconds in zip(("liburing", "mooring"), sides):
            runs += [run(name, side, nanoseconds * factor) for factor in (1.0, 0.999, 7.0)]
            runs.append(run(name, side, 1.0, run_type="aggregate"))
    return {"context": context, "benchmarks": runs}


class CompareTest(unittest.TestCase):
    def misses(self, **changed):
        times = {**GOOD, **{name.replace("__", "/"): value for name, value in changed.items()}}
        return compare.misses(compare.compare(compare.read_samples(report(times))))

    def test_medians_are_compared_per_operation(self):
        samples = compare.read_samples(report(GOOD))
        comparisons = {c.name: c for c in compare.compare(samples)}
        read = comparisons["read_fixed/owner_thread/32"]
        self.assertAlmostEqual(read.liburing_ns, 800.0)
        self.assertAlmostEqual(compare.ratio(read), 800.0 / 816.0)
        self.assertAlmostEqual(compare.slower(comparisons["nop/owner_thread/32"]), 12.0)

    def test_the_given_quantile_is_compared(self):
        samples = compare.read_samples(report(GOOD))
        nop = {c.name: c for c in compare.compare(samples, 1.0)}["nop/owner_thread/32"]
        self.assertAlmostEqual(nop.liburing_ns, 60.0 * 7.0)

    def test_nothing_is_missed_within_the_limits(self):
        self.assertEqual(self.misses(), [])

    def test_slow_reads_miss_their_limit(self):
        missed = self.misses(read_fixed__owner_thread__32=(800.0, 900.0))
        self.assertEqual(len(missed), 1)
        self.assertIn("ratio 0.889, below 0.90", missed[0])

    def test_slow_nops_miss_their_limit(self):
        missed = self.misses(nop__any_thread__32=(60.0, 91.0))
        self.assertEqual(len(missed), 1)
        self.assertIn("31.0 ns slower", missed[0])

    def test_an_operation_that_was_not_measured_misses_its_limit(self):
        times = {name: sides for name, sides in GOOD.items() if not name.startswith("nop/any")}
        samples = compare.read_samples(report(times))
        missed = compare.misses(compare.compare(samples))
        self.assertEqual(missed, ["nop/any_thread/32: not measured"])

    def test_a_failed_benchmark_is_an_error(self):
        broken = report(GOOD)
        broken["benchmarks"][0].update(error_occurred=True, error_message="wrong bytes")
        with self.assertRaisesRegex(ValueError, "wrong bytes"):
            compare.read_samples(broken)

    def test_an_unoptimised_build_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "-c opt"):
            compare.read_samples(report(GOOD, optimized="no"))

    def exit_status(self, times, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(report(times), file)
            with contextlib.redirect_stdout(io.StringIO()) as output:
                with contextlib.redirect_stderr(io.StringIO()):
                    status = compare.main(["--json", path, *arguments])
        self.assertIn("| nop/owner_thread/32 | mooring | 60.0 |", output.getvalue())
        return status

    def test_only_check_fails_for_a_missed_limit(self):
        slow = {**GOOD, "read_fixed/any_thread/32": (800.0, 900.0)}
        self.assertEqual(self.exit_status(GOOD, "--check"), 0)
        self.assertEqual(self.exit_status(slow), 0)
        self.assertEqual(self.exit_status(slow, "--check"), 1)


if __name__ == "__main__":
    unittest.main()
