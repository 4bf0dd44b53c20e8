"""Boots kernels, runs the conformance suites on them, and prints the results.

    bazel run //testing/kernels:run                                   every suite on every kernel
    bazel run //testing/kernels:run -- --kernels 5.10 --suites 'pinned/Registration.*'
    bazel run //testing/kernels:run -- --table                        also writes docs/KERNELS.md

testing/kernels/fetch.py downloads the kernels.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from testing.kernels import cache, disk, initramfs, machine, pins, plan, table

PINS = "testing/kernels/pins.txt"
INIT = "testing/kernels/init"


@dataclass
class Kernel:
    """A column of the table."""

    label: str
    release: str
    paths: dict = field(default_factory=dict)
    features: list = field(default_factory=list)


def known_kernels():
    """Returns {label: folder in the cache, or None} for every kernel of pins.txt."""
    with open(PINS, encoding="utf-8") as file:
        parsed = pins.parse(file.read())
    return {label: cache.kernel(label, of_kernel) for label, of_kernel in parsed.items()}


def boot(label, folder, steps, work, image, echo=lambda line: None):
    """Boots one kernel with the disk `image`, and returns its report."""
    initrd = os.path.join(work, f"{label}.initrd")
    with open(initrd, "wb") as file:
        file.write(initramfs.build(INIT, folder))
    return machine.boot(folder, label, initrd, image, plan.seconds(steps), echo)


def running_kernel(steps):
    """Returns the column for the kernel of this machine, without an emulator."""
    kernel = Kernel("running", platform.release())
    report = machine.Report(kernel.release)
    for step in steps:
        if step.arguments == ("--path",):
            command = [step.program, "--path"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            ending, lines = f"exit {done.returncode}", done.stdout.splitlines()
            report.runs.append(machine.Run(step.name, ending, lines))
    kernel.paths, kernel.features = plan.paths(report), plan.features(report)
    return kernel


def print_report(report):
    for run in report.runs:
        if not run.name.startswith("path:"):
            counts = "{} passed, {} failed, {} skipped".format(*plan.count(run))
            print(f"  {run.name}: {counts} ({run.seconds:.0f} s)")
    for name, path in plan.paths(report).items():
        print(f"  {name}: {path}")


def run_all(arguments, steps):
    """Boots each kernel. Returns (columns, number of failures)."""
    columns, failure_count = [], 0
    echo = print if arguments.verbose else lambda line: None
    with tempfile.TemporaryDirectory() as work:
        image = disk.build(work, steps)
        for label, folder in known_kernels().items():
            if arguments.kernels and label not in arguments.kernels:
                continue
            if folder is None:
                sys.exit(f"kernel {label} is missing: run testing/kernels/fetch.py")
            report = boot(label, folder, steps, work, image, echo)
            print(f"{label} ({report.release})")
            print_report(report)
            failures = plan.failures(report, steps)
            for text in failures:
                print(f"FAILED on {label}: {text}")
            failure_count += len(failures)
            paths, features = plan.paths(report), plan.features(report)
            columns.append(Kernel(label, report.release, paths, features))
    return columns, failure_count


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kernels", nargs="+", metavar="LABEL", help="default: all of pins.txt")
    parser.add_argument("--configurations", nargs="+", default=plan.CONFIGURATIONS)
    suites_help = "GoogleTest filters; with no filter, only the paths"
    parser.add_argument("--suites", nargs="*", default=["*"], help=suites_help)
    parser.add_argument("--table", action="store_true", help="write docs/KERNELS.md")
    parser.add_argument("--verbose", action="store_true", help="show the output of the programs")
    arguments = parser.parse_args()
    is_whole = not arguments.kernels and tuple(arguments.configurations) == plan.CONFIGURATIONS
    if arguments.table and not is_whole:
        sys.exit("--table covers every kernel and configuration: omit --kernels, --configurations")
    missing = machine.missing() or (None if disk.mkfs() else "mkfs.ext4")
    if missing:
        sys.exit(f"{missing} is missing: run testing/kernels/fetch.py")
    steps = plan.steps(os.getcwd(), arguments.configurations, arguments.suites)
    try:
        columns, failure_count = run_all(arguments, steps)
    except machine.MachineError as error:
        sys.exit(str(error))
    if arguments.table and not failure_count:
        root = os.environ["BUILD_WORKSPACE_DIRECTORY"]
        text = table.render(columns + [running_kernel(steps)], plan.CONFIGURATIONS)
        with open(os.path.join(root, "docs", "KERNELS.md"), "w", encoding="utf-8") as file:
            file.write(text)
    sys.exit(1 if failure_count else 0)


if __name__ == "__main__":
    main()
