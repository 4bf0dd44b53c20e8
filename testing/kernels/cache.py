"""The cache of kernels on this machine: one folder for each, with only the files that a boot needs.

    ~/.cache/mooring/kernels/5.10/vmlinuz
    ~/.cache/mooring/kernels/5.10/modules/00_crc16.ko    numbered in load order
    ~/.cache/mooring/kernels/5.10/pins                   the packages that the files come from
"""

import lzma
import os
import pwd
import re
import shutil
import subprocess
import tarfile
import tempfile

# The modules for an ext4 disk and a TAP device. Modules that a package lacks are built in.
_MODULES = ("crc32c_generic", "crc32c-cryptoapi", "virtio_pci", "virtio_blk", "ext4", "tun")
_KERNEL = re.compile(r"\./boot/vmlinuz-[^/]+$|\./usr/lib/modules/[^/]+/vmlinuz$")
_FILE = re.compile(r"\./(?:usr/)?lib/modules/[^/]+/kernel/.*/([^/]+)\.ko(\.xz)?$")


def folder():
    home = pwd.getpwuid(os.getuid()).pw_dir  # HOME is not set in a Bazel test
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "mooring", "kernels")


def _stamp(pins):
    return "".join(f"{pin}\n" for pin in pins)


def kernel(label, pins):
    """Returns the folder of a kernel that was extracted from these pins, or None."""
    place = os.path.join(folder(), label)
    try:
        with open(os.path.join(place, "pins"), encoding="utf-8") as file:
            return place if file.read() == _stamp(pins) else None
    except FileNotFoundError:
        return None


def _name(module):
    """The kernel treats - and _ in module names as the same character."""
    return module.replace("-", "_")


class _Archive:
    """The modules in the tar file of one package."""

    def __init__(self, tar):
        self._tar = tar
        self._members = {}
        for member in tar.getmembers():
            match = _FILE.match(member.name)
            if match:
                self._members[_name(match.group(1))] = member

    def __contains__(self, module):
        return _name(module) in self._members

    def read(self, module):
        member = self._members[_name(module)]
        data = self._tar.extractfile(member).read()
        return lzma.decompress(data) if member.name.endswith(".xz") else data


def load_order(archive, modules):
    """Returns [(name, bytes)]: the modules in the archive, each after the modules it depends on."""
    order = {}

    def add(module):
        if _name(module) in order:
            return
        data = archive.read(module)
        found = re.search(rb"\0depends=([^\0]*)\0", data)
        for dependency in (found.group(1).decode().split(",") if found else []):
            if dependency:
                add(dependency)
        order[_name(module)] = data

    for module in modules:
        if module in archive:
            add(module)
    return list(order.items())


def _unpack(package, work, place):
    """Extracts the kernel and the modules that one package contains."""
    tar_path = os.path.join(work, "package.tar")
    with open(tar_path, "wb") as file:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=file, check=True)
    with tarfile.open(tar_path) as tar:
        for member in tar.getmembers():
            if _KERNEL.match(member.name):
                with open(os.path.join(place, "vmlinuz"), "wb") as file:
                    file.write(tar.extractfile(member).read())
        for number, (name, data) in enumerate(load_order(_Archive(tar), _MODULES)):
            with open(os.path.join(place, "modules", f"{number:02}_{name}.ko"), "wb") as file:
                file.write(data)


def add(label, pins, download):
    """Creates the folder of a kernel; download(path, sha256, destination) downloads a package."""
    os.makedirs(folder(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder()) as work:
        place = os.path.join(work, "kernel")
        os.makedirs(os.path.join(place, "modules"))
        for pin in pins:
            package = os.path.join(work, "package.deb")
            download(pin.path, pin.sha256, package)
            _unpack(package, work, place)
            os.remove(package)
        for needed in ("vmlinuz", "modules"):
            if not os.path.exists(os.path.join(place, needed)):
                raise FileNotFoundError(f"{label}: no {needed} in {[pin.package for pin in pins]}")
        with open(os.path.join(place, "pins"), "w", encoding="utf-8") as file:
            file.write(_stamp(pins))
        target = os.path.join(folder(), label)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(place, target)
