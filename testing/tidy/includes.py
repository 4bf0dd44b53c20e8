"""Which folder may include what: one owner for each foreign interface, and layers downward only."""

import re

from testing.layering.layers import LAYERS
from testing.tidy.source_tree import Finding

_INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')

# Foreign header -> the only folder of the product that may include it.
_OWNERS = [
    (re.compile(r"liburing(\.h|/)"), "cpp/engine/io_uring"),
    (re.compile(r"linux/io_uring"), "cpp/engine/io_uring"),
    (re.compile(r"numa(if)?\.h"), "cpp/os"),
    (re.compile(r"sys/(mman|resource)\.h"), "cpp/os"),
    (re.compile(r"cuda"), "cpp/device/cuda"),
]

# Folders that ship; tests and benchmarks may look behind the layers.
_PRODUCT = ("cpp", "c_api", "tools", "examples")

# Folders that see the library only as its users do.
_CLIENTS = ("tools", "examples", "bindings", "testing/conformance")


# A header that is one class behind an interface -> the files that may include it.
_HIDDEN = {
    "cpp/registration/sparse_table.h": ("kernel_table.cc", "sparse_table.cc"),
    "cpp/registration/whole_table.h": ("kernel_table.cc", "whole_table.cc"),
}


def _is_test(source):
    return re.search(r"/testing/|(_test|_benchmark)\.(cc|c|h)$", source.path) is not None


def _includes(source):
    if source.suffix in ("h", "cc", "c", "cu"):
        for number, line in enumerate(source.lines, 1):
            match = _INCLUDE.match(line)
            if match:
                yield number, match.group(1)


def check_include_owners(source):
    if not source.inside(*_PRODUCT) or _is_test(source):
        return
    for number, header in _includes(source):
        for pattern, owner in _OWNERS:
            if pattern.match(header) and not source.inside(owner):
                yield Finding(source, number, f"only {owner} includes <{header}>")


def layer_of(path):
    """The layer that a path belongs to: the longest that is a folder of it."""
    owners = [layer for layer in LAYERS if path.startswith(layer + "/")]
    return max(owners, key=len) if owners else None


def check_include_layers(source):
    layer = layer_of(source.path)
    if source.inside("cpp") and not layer and source.suffix in ("h", "cc"):
        yield Finding(source, 1, "this folder is no layer of testing/layering/layers.bzl")
    allowed = LAYERS.get(layer, []) + [layer, None]
    for number, header in _includes(source):
        target = layer_of(header)
        if source.inside(*_CLIENTS) and header.startswith(("cpp/", "c_api/")):
            yield Finding(source, number, f"sees only the C interface, not {header}")
        elif layer and target not in allowed and not _is_test(source):
            yield Finding(source, number, f"{layer} must not see {target}")


def check_hidden_headers(source):
    if _is_test(source):
        return
    for number, header in _includes(source):
        if header in _HIDDEN and source.name not in _HIDDEN[header]:
            yield Finding(source, number, f"{header} is behind an interface: include that")
