"""docs/KERNELS.md: the path of each configuration on each kernel, from the reports."""

_HEAD = """\
# Kernels

The path of a slab of 2 MiB (2,097,152 bytes), by configuration (`testing/configurations`) and by
kernel. `bazel run //testing/kernels:run -- --table` boots each kernel and writes this file. Do not
edit it by hand.

`fixed`: the slab is pinned, and operations use it as a fixed buffer. `partial`: a prefix is pinned,
and the rest is copied. `copy` and `threads` have their reason after the colon. After a comma: the
path of a second ring with the same slab, where it differs. `cloned`: the second ring shares the
pins of the first. `not here`: the kernel or the machine lacks the feature that the configuration
needs.

"""

_FEATURES = """
## Features

Mooring tries each feature and does not use the kernel version, because distributions backport code
to older kernels (this 5.10 has the io_uring of 5.15).

"""

_BACKING = """
## Memory backed by a file

Anonymous memory is fixed on all kernels. Memory backed by a file on ext4 is copied, with the reason
`backing_refused`: 5.10 and 6.1 reject all pages of a file (`EOPNOTSUPP`). Later kernels reject only
shared pages (`EFAULT`), because ext4 does not support pages that a device writes at any time.
`testing/kernels/backing_test.cc` checks this on each kernel.

## The memlock limit

`testing/budget` also runs on each kernel. It opens and closes rings, slabs and registrations under
a limit that fits one. It checks that rings that wait for budget get it. Where buffers can be
cloned, it checks that two rings with one slab of 256 MiB (268,435,456 bytes) are both fixed under a
limit that fits the slab once.

## Differences of 5.10

- The kernel returns the budget of a cleared slot a little more than a second late (up to 6.3).
- The kernel looks up the descriptors of a whole chain before it starts the first operation. A
  descriptor that is not open also cancels the operations before it (up to 5.17).
- A receive with `MSG_WAITALL` that is cancelled half-way fails with `-ECANCELED`, and the kernel
  does not report how many bytes it had received (up to 6.0).
"""


def _row(cells):
    return "| " + " | ".join(cells) + " |\n"


def _rows(head, kernels, names, cell):
    text = _row([head] + [f"{kernel.label} ({kernel.release})" for kernel in kernels])
    text += _row(["---"] * (len(kernels) + 1))
    for name in names:
        text += _row([f"`{name}`"] + [cell(kernel, name) for kernel in kernels])
    return text


def render(kernels, configurations):
    """Returns the text of the page. `kernels`: objects with label, release, paths and features."""
    for kernel in kernels:
        empty = [name for name in configurations if not kernel.paths.get(name)]
        if empty:
            raise ValueError(f"{kernel.label} did not report its path for: {', '.join(empty)}")
    names = sorted({name for kernel in kernels for name in kernel.features})
    text = _HEAD + _rows("configuration", kernels, configurations, lambda k, name: k.paths[name])
    text += _FEATURES
    text += _rows("feature", kernels, names, lambda k, name: "yes" if name in k.features else "no")
    return text + _BACKING
