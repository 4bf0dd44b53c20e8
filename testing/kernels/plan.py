"""What runs in an emulated machine: the claims on backing and on the memlock limit, and each
configuration, its path first.
"""

import re

from testing.kernels.disk import Step

CONFIGURATIONS = (
    "pinned",
    "memlock_zero",
    "memlock_partial",
    "huge_pages",
    "owner_thread",
    "sqpoll",
    "no_clone",
    "no_zero_copy",
    "whole_table",
    "no_tags",
    "threads",
    "seccomp_eperm",
    "seccomp_enosys",
)

# The emulator is 10 to 30 times slower than the machine itself, and its host may be busy.
_PATH_SECONDS, _BUDGET_SECONDS, _SUITES_SECONDS = 60, 300, 1200

# The emulated machines have a hard limit that fits 256 MiB twice; this machine may not.
_BUDGETS = ("clone_budget", "cycles", "promotion")


def steps(programs, configurations=CONFIGURATIONS, suites=("*",)):
    """The plan: backing and budget, every path, then the suites that `suites` match.

    `programs`: the folder with the built testing/budget, testing/configurations and
    testing/kernels.
    """
    plan = [Step("backing", _PATH_SECONDS, f"{programs}/testing/kernels/backing_test")]
    for name in _BUDGETS:
        plan.append(Step(name, _BUDGET_SECONDS, f"{programs}/testing/budget/{name}_test"))
    tests = {name: f"{programs}/testing/configurations/{name}_test" for name in configurations}
    for name, program in tests.items():
        plan.append(Step(f"path:{name}", _PATH_SECONDS, program, ("--path",)))
    for name, program in tests.items():
        if suites:
            arguments = ("--gtest_filter=" + ":".join(suites),)
            plan.append(Step(name, _SUITES_SECONDS, program, arguments))
    return plan


def seconds(plan):
    """The time limit of a machine for the whole plan."""
    return 120 + sum(step.seconds for step in plan)


def _value(run, name):
    for line in run.lines:
        if line.startswith(name + ": "):
            return line.partition(": ")[2]
    return None


def paths(report):
    """{configuration: path taken}, where the programs reported it."""
    runs = [run for run in report.runs if run.name.startswith("path:") and run.good]
    return {run.name.partition(":")[2]: _value(run, "path") for run in runs}


def features(report):
    """The features that a ring of this kernel has."""
    for run in report.runs:
        if run.name == "path:pinned" and run.good:
            return _value(run, "features").split()
    return []


def count(run):
    """(passed, failed, skipped) of a GoogleTest program."""
    counts = []
    for word in ("       OK ", "  FAILED  ", "  SKIPPED "):
        pattern = re.compile(rf"\[{word}\] \S+ \(\d+ ms\)$")
        counts.append(sum(bool(pattern.search(line)) for line in run.lines))
    return tuple(counts)


def failures(report, plan):
    """The failures: a text for each step that failed or is missing."""
    ended = {run.name: run for run in report.runs}
    found = []
    for step in plan:
        run = ended.get(step.name)
        if run is None:
            found.append(f"{step.name}: never ran")
        elif not run.good:
            output = "\n".join(run.lines[-60:])
            found.append(f"{step.name}: {run.ending}\n{output}")
        elif step.arguments != ("--path",) and count(run)[0] + count(run)[2] == 0:
            found.append(f"{step.name}: ran no test")
        elif step.arguments != ("--path",):
            continue
        elif (_value(run, "path") or "failed").startswith("failed"):
            found.append(f"{step.name}: {_value(run, 'path')}")
    return found
