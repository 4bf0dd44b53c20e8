"""pins.txt: the packages that contain the kernels, with their suites, versions and checksums."""

import re
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """One package of one kernel."""

    label: str  # of the kernel, for example 5.10 or newest
    suite: str
    package: str
    version: str
    sha256: str
    path: str  # on the mirror

    def __str__(self):
        return " ".join(vars(self).values())


def parse(text):
    """Returns {label: [Pin, ...]}, in the order of the file."""
    pins = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin = Pin(*line.split())
            pins.setdefault(pin.label, []).append(pin)
    return pins


def comments(text):
    """Returns the comment lines, which fetch.py --repin does not change."""
    return [line for line in text.splitlines() if line.startswith("#")]


def _is_later(one, other):
    command = ["dpkg", "--compare-versions", one, "gt", other]
    return subprocess.run(command, check=False).returncode == 0


# Up to 6.18, linux-image contains the kernel and its modules. Later, linux-binary contains the
# kernel and linux-modules the modules.
_WHOLE = re.compile(r"linux-image-([0-9][^-]*(?:-[0-9]+)?)-amd64$")
_KERNEL = re.compile(r"linux-binary-([0-9].*)-amd64$")


def _flavour(name):
    """Returns the part of a package name that identifies a build. None for cloud, rt and others."""
    match = _KERNEL.match(name) or _WHOLE.match(name)
    if not match or re.search(r"-(cloud|rt)$", match.group(1)):
        return None
    return match.group(1)


def choose(label, suite, packages):
    """Returns the pins of the latest kernel of `label` ("newest": of all) in a list of packages."""
    split = {name["Package"] for name in packages if _KERNEL.match(name["Package"])}
    best = None
    for package in packages:
        flavour = _flavour(package["Package"])
        wanted = label == "newest" or package["Version"].startswith(label + ".")
        if flavour is None or not wanted:
            continue
        if f"linux-binary-{flavour}-amd64" in split and not _KERNEL.match(package["Package"]):
            continue
        if best is None or _is_later(package["Version"], best["Version"]):
            best = package
    if best is None:
        return []
    wanted = [best["Package"]]
    if _KERNEL.match(best["Package"]):
        wanted.append(f"linux-modules-{_flavour(best['Package'])}-amd64")
    by_name = {package["Package"]: package for package in packages}
    found = [by_name[name] for name in wanted if name in by_name]
    return [
        Pin(label, suite, one["Package"], one["Version"], one["SHA256"], one["Filename"])
        for one in found
    ]
