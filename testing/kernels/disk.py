"""The disk of an emulated machine: ext4, with the programs, their libraries and the plan."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

_BYTES = 512 << 20
# The complete list, because a later mkfs.ext4 may add features that these kernels do not support.
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"
    "sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
_FOLDERS = ("dev", "proc", "sys", "tmp", "work", "run", "programs")


@dataclass(frozen=True)
class Step:
    """A command of the plan. init.cc describes how it runs."""

    name: str
    seconds: int
    program: str  # its path on this machine
    arguments: tuple = ()


def _libraries(program):
    """Returns the paths of the shared libraries of a program, and of their loader."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?:=> |^\s+)(/\S+) \(0x", text, re.MULTILINE)


def _copy(source, root, name):
    target = os.path.join(root, name.lstrip("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)  # follows symbolic links


def build(work, steps):
    """Builds the image in the folder `work`, and returns its path."""
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
    """Returns the path of mkfs.ext4, or None. For users other than root it is not on PATH."""
    return shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
