"""An emulated machine: boots a kernel and reads its report line until the end or a time limit."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field

EMULATOR = "qemu-system-x86_64"
_MARK = re.compile(r"@@ (\w+) ?(.*)")


class MachineError(Exception):
    """The machine panicked, hung or did not boot. The text has the end of its console."""


@dataclass
class Run:
    """The result of one step of the plan."""

    name: str
    ending: str = ""  # "exit CODE", "signal NUMBER" or "timeout"
    lines: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self):
        return self.ending == "exit 0"


@dataclass
class Report:
    """The report of a machine: its kernel release, and the runs of the steps in order."""

    release: str = ""
    runs: list = field(default_factory=list)
    early: list = field(default_factory=list)  # lines before the first step, from the emulator


def _command(kernel, initrd, disk, console, label):
    # panic=-1 and -no-reboot: the emulator exits on a panic, before the time limit.
    # no_timer_check: on a busy host the emulated timer is late, and the check of the kernel fails.
    options = "console=ttyS0 earlyprintk=ttyS0 panic=-1 no_timer_check quiet loglevel=4"
    options += f" hugepages=32 MOORING_KERNEL={label}"
    drive = f"file={disk},if=virtio,format=raw,snapshot=on"
    return (
        [EMULATOR, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        + ["-machine", "pc", "-accel", "tcg", "-cpu", "qemu64", "-smp", "2", "-m", "2G"]
        + ["-kernel", os.path.join(kernel, "vmlinuz"), "-initrd", initrd, "-append", options]
        + ["-serial", f"file:{console}", "-serial", "stdio", "-drive", drive]
    )


def _lines(process, deadline):
    """Yields the lines of the report line until the machine is off. Raises after `deadline`."""
    pending = b""
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise MachineError("the time limit is over")
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            break
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")


def parse_report(lines, report, echo):
    """Fills the report. Returns True when the machine reports that it has run the whole plan."""
    current, began = None, 0.0
    for line in lines:
        match = _MARK.match(line)
        if not match:
            (current.lines if current else report.early).append(line)
            echo(line)
            continue
        keyword, rest = match.groups()
        if keyword == "kernel":
            report.release = rest
        elif keyword == "begin":
            current, began = Run(rest), time.monotonic()
            report.runs.append(current)
        elif keyword == "end":
            current.ending = rest.partition(" ")[2]
            current.seconds = time.monotonic() - began
            current = None
        elif keyword == "done":
            return True
        else:
            raise MachineError(f"the first process reports: {keyword} {rest}")
    return False


def _last_lines(console):
    try:
        with open(console, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-30:])
    except FileNotFoundError:
        return "(nothing)"


# On a busy host the emulated timer is late, and a kernel may stop before its first process starts.
# That is not a result of the tests, so the machine is booted again.
_BOOTS_MAX = 3


def boot(kernel, label, initrd, disk, seconds, echo=lambda line: None):
    """Boots the kernel of a cache folder and returns its Report. `initrd`, `disk`: image paths."""
    for attempt in range(1, _BOOTS_MAX + 1):
        report = Report()
        try:
            _boot_once(kernel, label, initrd, disk, seconds, echo, report)
            return report
        except MachineError as error:
            if report.release or attempt == _BOOTS_MAX:
                raise
            print(f"did not boot, attempt {attempt} of {_BOOTS_MAX}: {error}", file=sys.stderr)
    raise AssertionError("not reached")


def _boot_once(kernel, label, initrd, disk, seconds, echo, report):
    console = initrd + ".console"
    command = _command(kernel, initrd, disk, console, label)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines = _lines(process, time.monotonic() + seconds)
    try:
        if not parse_report(lines, report, echo):
            raise MachineError("the machine switched off before the end of the plan")
    except MachineError as error:
        at = report.runs[-1] if report.runs else Run("the boot", lines=report.early)
        tail = "\n".join(at.lines[-20:])
        raise MachineError(
            f"{label}: {error}, at {at.name}\n{tail}\n"
            f"the end of its console:\n{_last_lines(console)}"
        ) from error
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def missing():
    """Returns the package that a boot needs and that is missing, or None."""
    return None if shutil.which(EMULATOR) else "qemu"
