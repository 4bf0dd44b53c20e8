"""The initramfs of a kernel: the first process and the modules, as a cpio archive (newc)."""

import os

_FOLDER, _PROGRAM = 0o040755, 0o100755


def entry(number, name, mode, data=b""):
    """Returns one file: header in hexadecimal, name and data, padded to a multiple of 4 bytes."""
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    head = header + encoded
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def build(init, kernel):
    """Returns the archive: the program `init`, and the modules in the cache folder `kernel`."""
    modules = os.path.join(kernel, "modules")
    files = [("dev", _FOLDER, b""), ("modules", _FOLDER, b""), ("init", _PROGRAM, _read(init))]
    for name in sorted(os.listdir(modules)):
        files.append((f"modules/{name}", _PROGRAM, _read(os.path.join(modules, name))))
    archive = b"".join(entry(number, *file) for number, file in enumerate(files, 1))
    return archive + entry(0, "TRAILER!!!", 0)
