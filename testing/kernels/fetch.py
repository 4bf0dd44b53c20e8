#!/usr/bin/env python3
"""Downloads the kernels that testing/kernels boots, and installs the emulator.

    testing/kernels/fetch.py               QEMU, and the missing kernels of pins.txt
    testing/kernels/fetch.py --repin       first pins the latest kernels of the suites in pins.txt
    testing/kernels/fetch.py --repin 6.1   first pins only this kernel

The packages come from the Debian mirror of this machine, through apt. Their checksums are compared
with pins.txt. The files that a boot needs are kept in ~/.cache/mooring/kernels (50 MB), or in
mooring/kernels under XDG_CACHE_HOME.
"""

import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, ROOT)

from testing.kernels import cache, mirror, pins  # noqa: E402  (needs sys.path)

PINS = os.path.join(ROOT, "testing", "kernels", "pins.txt")


def read_pins():
    with open(PINS, encoding="utf-8") as file:
        return file.read()


def repin(labels):
    """Writes the latest packages of the same suites to pins.txt."""
    text = read_pins()
    lines = pins.comments(text)
    for label, old in pins.parse(text).items():
        if labels and label not in labels:
            lines += [str(pin) for pin in old]
            continue
        suite = old[0].suite
        print(f"looking up the latest {label} in {suite}")
        new = pins.choose(label, suite, mirror.packages(suite))
        if not new:
            raise mirror.MirrorError(f"{suite} has no kernel {label}: name another suite in {PINS}")
        lines += [str(pin) for pin in new]
    with open(PINS, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def fetch_kernel(label, of_kernel):
    if cache.kernel(label, of_kernel):
        print(f"{label}: {of_kernel[0].version} is in the cache")
        return
    print(f"{label}: downloading {of_kernel[0].version} from {of_kernel[0].suite}")
    try:
        cache.add(label, of_kernel, mirror.download)
    except mirror.VanishedError as error:
        raise mirror.MirrorError(
            f"{error}: {of_kernel[0].suite} has a later version. Pin it with"
            f" testing/kernels/fetch.py --repin {label}"
        ) from error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repin", nargs="*", metavar="KERNEL", help="labels; default: all")
    arguments = parser.parse_args()
    try:
        install = os.path.join(ROOT, "build_tools", "install", "packages")
        subprocess.run([install, "kernels.txt"], check=True)
        if arguments.repin is not None:
            repin(arguments.repin)
        for label, of_kernel in pins.parse(read_pins()).items():
            fetch_kernel(label, of_kernel)
    except (mirror.MirrorError, subprocess.CalledProcessError) as error:
        sys.exit(f"testing/kernels/fetch.py: {error}")


if __name__ == "__main__":
    main()
