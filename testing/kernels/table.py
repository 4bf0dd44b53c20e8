"""docs/KERNELS.md: which path each configuration takes on each kernel, as these said."""

_HEAD = """\
# Kernels

Which path a slab of 2 MiB takes, by configuration (`testing/configurations`) and kernel. Made by
`bazel run //testing/kernels:run -- --table`, which boots each kernel and asks; not edited by hand.

`fixed`: pinned, and operations name it. `partial`: a prefix is; the rest is copied. `copy`,
`threads`: with the reason. After a comma: a second ring with the same slab, where that differs;
`cloned` shares the first ring's pins. `not here`: the kernel, or the machine, lacks what the
configuration is about.

"""

_FEATURES = """
## Features

Found by trying, not by version: distributions carry later code in older kernels (5.10 here has the
io_uring of 5.15).

"""

_BACKING = """
## Memory of a file

Anonymous memory is fixed on all of them. A file's pages on ext4 are copied, `backing_refused`: on
5.10 and 6.1 all of them (`EOPNOTSUPP`), later only shared ones (`EFAULT`), because ext4 cannot have
its pages written at any time. `testing/kernels/backing_test.cc` holds each kernel to that.

## The memlock limit

`testing/budget` runs on each as well: rings, slabs and registrations opened and closed under a limit
that fits one; rings that wait for budget and get it; and, where buffers can be cloned, two rings over
one slab of 256 MiB under a limit that fits it once, both fixed.

## What 5.10 does otherwise

- Budget of a slot that was cleared comes back a little more than a second late (up to 6.3).
- It looks the descriptors of a whole chain up before it starts any of it: one that is not open
  cancels those before it too (up to 5.17).
- A receive with `MSG_WAITALL` that is cancelled half-way ends with `-ECANCELED`, and the kernel keeps
  the count of what had come to itself (up to 6.0).
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
    """The page's text. `kernels`: objects with label, release, paths and features."""
    for kernel in kernels:
        empty = [name for name in configurations if not kernel.paths.get(name)]
        if empty:
            raise ValueError(f"{kernel.label} did not say which path it takes: {', '.join(empty)}")
    names = sorted({name for kernel in kernels for name in kernel.features})
    text = _HEAD + _rows("configuration", kernels, configurations, lambda k, name: k.paths[name])
    text += _FEATURES
    text += _rows("feature", kernels, names, lambda k, name: "yes" if name in k.features else "no")
    return text + _BACKING
