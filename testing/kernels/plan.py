"""The plan of an emulated machine: the tests of backing and of the memlock limit, the path of each
configuration, and then the suites of each.
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

# The emulator is 10 to 30 times slower than the host, and the host may be busy.
_PATH_SECONDS, _BUDGET_SECONDS, _SUITES_SECONDS = 60, 300, 1200

# The emulated machines have a hard limit that fits 256 MiB twice, which the host may not have.
_BUDGETS = ("clone_budget", "cycles", "promotion")


def steps(programs, configurations=CONFIGURATIONS, suites=("*",)):
    """Returns the plan: backing and budget, every path, then `suites` of each configuration.

    `suites`: GoogleTest filters. `programs`: the folder with the built programs of testing/budget,
    testing/configurations and testing/kernels.
    """
    plan = [Step("backing", _PATH_SECONDS, f"{programs}/testing/kernels/backing_test")]
    for name in _BUDGETS:
        plan.append(Step(name, _BUDGET_SECONDS, f"{programs}/testing/budget/{name}_test"))
    tests = {name: f"{programs}/testing/configurations/{name}_test" for name in configurations}
    for name, program in tests.items():
        plan.append(Step(f"path:{name}", _PATH_SECONDS, program, ("--path",)))
    for name, program in tests.items():
        if suites:
            test_filter = "--gtest_filter=" + ":".join(suites)
            plan.append(Step(name, _SUITES_SECONDS, program, (test_filter,)))
    return plan


def seconds(plan):
    """Returns the time limit for the whole plan, with the boot."""
    return 120 + sum(step.seconds for step in plan)


def _value(run, name):
    for line in run.lines:
        if line.startswith(name + ": "):
            return line.partition(": ")[2]
    return None


def paths(report):
    """Returns {configuration: path} of the programs that succeeded. None: it printed no path."""
    runs = [run for run in report.runs if run.name.startswith("path:") and run.good]
    return {run.name.partition(":")[2]: _value(run, "path") for run in runs}


def features(report):
    """Returns the features that a ring has on this kernel."""
    for run in report.runs:
        if run.name == "path:pinned" and run.good:
            return _value(run, "features").split()
    return []


def count(run):
    """Returns (passed, failed, skipped) of a GoogleTest program."""
    counts = []
    for result in ("       OK ", "  FAILED  ", "  SKIPPED "):
        pattern = re.compile(rf"\[{result}\] \S+ \(\d+ ms\)$")
        counts.append(sum(bool(pattern.search(line)) for line in run.lines))
    return tuple(counts)


def failures(report, plan):
    """Returns a text for each step of the plan that failed or did not run."""
    ended = {run.name: run for run in report.runs}
    found = []
    for step in plan:
        run = ended.get(step.name)
        if run is None:
            found.append(f"{step.name}: did not run")
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
