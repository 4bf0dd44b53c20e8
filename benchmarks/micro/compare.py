#!/usr/bin/env python3
"""Runs operation_benchmark and compares each side with the loop that uses liburing directly.

Each side runs many times, in random order, each time for less than a scheduler's time slice. The
medians are compared, so other load on the machine affects both sides, or no median. Where the
machine is always busy, --quantile 0.1 compares the quietest tenths instead. With --check, the
program exits 1 when a limit is missed.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections import namedtuple

# Of liburing and the named side, at operation/ring/depth: quantiles, and the larger spread.
Comparison = namedtuple("Comparison", "name side liburing_ns side_ns spread")

# operation/ring/depth -> the limit for the side "mooring": the one checked now, and the target.
# "ratio": operations per second, divided by those of liburing. "slower": nanoseconds more than
# liburing.
Limit = namedtuple("Limit", "measure now target")
_READ = Limit("ratio", 0.90, 0.98)
_NOP = Limit("slower", 30.0, 12.0)
LIMITS = {
    "read_fixed/owner_thread/32": _READ,
    "read_fixed/any_thread/32": _READ,
    "nop/owner_thread/32": _NOP,
    "nop/any_thread/32": _NOP,
}


def run_benchmark(program, repetitions, min_time):
    """The report of the benchmark program, which prints its own errors to stderr."""
    command = [
        program,
        "--benchmark_format=json",
        "--benchmark_enable_random_interleaving=true",
        f"--benchmark_repetitions={repetitions}",
        f"--benchmark_min_time={min_time}",
    ]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def read_samples(report):
    """(operation/ring/depth, side) -> nanoseconds per operation, one for each repetition."""
    if report["context"].get("optimized") != "yes":
        raise ValueError("the benchmark was built without optimisation: build it with -c opt")
    samples = {}
    for run in report["benchmarks"]:
        if run.get("error_occurred"):
            raise ValueError(f"{run['name']}: {run['error_message']}")
        if run.get("run_type") == "aggregate":
            continue
        operation, ring, depth, side = run["name"].split("/")[:4]
        nanoseconds = run["real_time"] / int(depth)
        samples.setdefault((f"{operation}/{ring}/{depth}", side), []).append(nanoseconds)
    return samples


def _spread(values):
    """Half the distance between the quartiles, as a share of the median."""
    if len(values) < 2:
        return 0.0
    first, median, third = statistics.quantiles(values, n=4, method="inclusive")
    return (third - first) / 2 / median


def _quantile(values, quantile):
    ordered = sorted(values)
    return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]


def compare(samples, quantile=0.5):
    """Compares each side with the side "liburing"."""
    comparisons = []
    for (name, side), values in samples.items():
        liburing = samples.get((name, "liburing"))
        if side == "liburing" or not liburing:
            continue
        comparisons.append(
            Comparison(
                name,
                side,
                _quantile(liburing, quantile),
                _quantile(values, quantile),
                max(_spread(liburing), _spread(values)),
            )
        )
    return comparisons


def ratio(comparison):
    return comparison.liburing_ns / comparison.side_ns


def slower(comparison):
    return comparison.side_ns - comparison.liburing_ns


def misses(comparisons):
    """The operations that miss their limit, or have a limit and were not measured."""
    measured = {c.name: c for c in comparisons if c.side == "mooring"}
    lines = []
    for name, limit in LIMITS.items():
        if name not in measured:
            lines.append(f"{name}: not measured")
        elif limit.measure == "ratio" and ratio(measured[name]) < limit.now:
            lines.append(f"{name}: ratio {ratio(measured[name]):.3f}, below {limit.now:.2f}")
        elif limit.measure == "slower" and slower(measured[name]) > limit.now:
            lines.append(f"{name}: {slower(measured[name]):.1f} ns slower, above {limit.now:.0f}")
    return lines


def _limit_text(comparison):
    limit = LIMITS.get(comparison.name) if comparison.side == "mooring" else None
    if not limit:
        return ""
    unit = "" if limit.measure == "ratio" else " ns"
    return f"{limit.measure} {limit.now:g}{unit}, then {limit.target:g}{unit}"


def table(comparisons):
    """The Markdown table of RESULTS.md."""
    lines = [
        "| operation | side | liburing, ns | ns | slower, ns | ratio | spread | limit |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for c in sorted(comparisons):
        lines.append(
            f"| {c.name} | {c.side} | {c.liburing_ns:.1f} | {c.side_ns:.1f} | {slower(c):+.1f} "
            f"| {ratio(c):.3f} | {100 * c.spread:.1f} % | {_limit_text(c)} |"
        )
    return "\n".join(lines)


def conditions(report):
    """One line about the machine and the date."""
    context = report["context"]
    cpu = f"{context['num_cpus']} CPUs of {context['mhz_per_cpu']} MHz"
    runs = max((run.get("repetitions", 1) for run in report["benchmarks"]), default=0)
    load = ", ".join(f"{average:.1f}" for average in context["load_avg"])
    return f"{context['date']}, Linux {context['kernel']}, {cpu}, load {load}, {runs} repetitions"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", help="operation_benchmark, built with -c opt")
    parser.add_argument("--json", help="read this report instead of running the program")
    parser.add_argument("--repetitions", type=int, default=501)
    parser.add_argument("--min-time", type=float, default=0.0005, help="seconds per repetition")
    parser.add_argument("--quantile", type=float, default=0.5, help="of repetitions; 0.5 = median")
    parser.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    options = parser.parse_args(arguments)
    if options.json:
        with open(options.json, encoding="utf-8") as file:
            report = json.load(file)
    elif options.program:
        report = run_benchmark(options.program, options.repetitions, options.min_time)
    else:
        parser.error("name the program, or a report with --json")
    try:
        samples = read_samples(report)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    comparisons = compare(samples, options.quantile)
    print(conditions(report) + "\n\n" + table(comparisons))
    missed = misses(comparisons)
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
