"""The disk of an emulated machine: ext4, with programs, their libraries and a plan."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

_BYTES = 512 << 20
# An explicit list: a later mkfs.ext4 may add defaults that these kernels do not support.
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"
    "sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
_FOLDERS = ("dev", "proc", "sys", "tmp", "work", "run", "programs")


@dataclass(frozen=True)
class Step:
    """A command of the plan; init.cc runs it."""

    name: str
    seconds: int
    program: str  # on this machine
    arguments: tuple = ()


def _libraries(program):
    """Paths of the shared libraries, and of their loader, that a program is linked to."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?:=> |^\s+)(/\S+) \(0x", text, re.MULTILINE)


def _copy(source, root, name):
    target = os.path.join(root, name.lstrip("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)  # the target of a link, not the link


def build(work, steps):
    """The path of the image, in the folder `work`."""
    root = os.path.join(work, "root")
    for folder in _FOLDERS:
        os.makedirs(os.path.join(root, folder))
    lines = []
    for step in steps:
        name = "/programs/" + os.path.basename(step.program)
        _copy(step.program, root, name)
        for library in _libraries(step.program):
            _copy(library, root, library)
        lines.append(" ".join((step.name, str(step.seconds), name) + step.arguments))
    with open(os.path.join(root, "plan"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    image = os.path.join(work, "disk.img")
    with open(image, "wb") as file:
        file.truncate(_BYTES)
    command = [mkfs(), "-q", "-O", _FEATURES, "-E", "root_owner=0:0", "-d", root, image]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(root)
    return image


def mkfs():
    """mkfs.ext4, or None; often not on the PATH of an unprivileged user."""
    return shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
