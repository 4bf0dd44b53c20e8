#!/usr/bin/env python3
"""Fetches the kernels that testing/kernels boots, and the emulator that boots them.

    testing/kernels/fetch.py               QEMU, and the kernels of pins.txt that are not here yet
    testing/kernels/fetch.py --repin       first pins the latest kernels of pins.txt's suites
    testing/kernels/fetch.py --repin 6.1   only that one

Packages come from this machine's Debian mirror, through apt, and are checked against pins.txt. What
a boot needs of them stays in ~/.cache/mooring/kernels (50 MB), or where XDG_CACHE_HOME says.
"""

import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, ROOT)

from testing.kernels import cache, mirror, pins  # noqa: E402  (after the path is known)

PINS = os.path.join(ROOT, "testing", "kernels", "pins.txt")


def read_pins():
    with open(PINS, encoding="utf-8") as file:
        return file.read()


def repin(labels):
    """Writes pins.txt with the latest packages of the same suites."""
    text = read_pins()
    lines = pins.comments(text)
    for label, old in pins.parse(text).items():
        if labels and label not in labels:
            lines += [str(pin) for pin in old]
            continue
        suite = old[0].suite
        print(f"looking up in {suite} the latest {label}")
        new = pins.choose(label, suite, mirror.packages(suite))
        if not new:
            raise mirror.MirrorError(f"{suite} has no kernel {label}: name another suite in {PINS}")
        lines += [str(pin) for pin in new]
    with open(PINS, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def bring(label, of_kernel):
    if cache.kernel(label, of_kernel):
        print(f"{label}: here, {of_kernel[0].version}")
        return
    print(f"{label}: fetching {of_kernel[0].version} from {of_kernel[0].suite}")
    try:
        cache.add(label, of_kernel, mirror.download)
    except mirror.VanishedError as error:
        raise mirror.MirrorError(
            f"{error}: {of_kernel[0].suite} has replaced the package. Pin the current one:"
            f" testing/kernels/fetch.py --repin {label}"
        ) from error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repin", nargs="*", metavar="KERNEL", help="all, or those named")
    arguments = parser.parse_args()
    try:
        install = os.path.join(ROOT, "build_tools", "install", "packages")
        subprocess.run([install, "kernels.txt"], check=True)
        if arguments.repin is not None:
            repin(arguments.repin)
        for label, of_kernel in pins.parse(read_pins()).items():
            bring(label, of_kernel)
    except (mirror.MirrorError, subprocess.CalledProcessError) as error:
        sys.exit(f"testing/kernels/fetch.py: {error}")


if __name__ == "__main__":
    main()
