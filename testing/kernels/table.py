"""docs/KERNELS.md: which path each configuration takes on each kernel, as these reported."""

_HEAD = """\
# Kernels

Which path a slab of 2 MiB takes, by configuration (`testing/configurations`) and kernel. Made by
`bazel run //testing/kernels:run -- --table`, which boots each kernel and queries it. Do not edit
it by hand.

`fixed`: the slab is pinned, and operations use it as a fixed buffer. `partial`: a prefix is
pinned, the rest is copied. `copy`, `threads`: nothing is pinned, with the reason. After a comma:
the path of a second ring with the same slab, where that differs; `cloned` shares the pins of the
first ring. `not here`: the kernel or the machine lacks the feature of the configuration.

"""

_FEATURES = """
## Features

Found by trying each feature, not by version: distributions backport code to older kernels (this
5.10 has the io_uring of 5.15).

"""

_BACKING = """
## Memory of a file

Anonymous memory is fixed on all of these kernels. The pages of a file on ext4 are copied
(`backing_refused`): on 5.10 and 6.1 all of them (`EOPNOTSUPP`), later only shared ones (`EFAULT`),
because ext4 does not allow writes to its pages at any time. `testing/kernels/backing_test.cc`
checks this on each kernel.

## The memlock limit

`testing/budget` also runs on each kernel: rings, slabs and registrations are opened and closed
under a limit that fits one; rings wait for budget and get it; and, where buffers can be cloned,
two rings use one slab of 256 MiB under a limit that fits it once, both fixed.

## Differences of 5.10

- The budget of a cleared slot is released a little more than a second late (up to 6.3).
- The kernel looks up the descriptors of a whole chain before it starts any operation of it. If one
  is not open, the operations before it are cancelled too (up to 5.17).
- A receive with `MSG_WAITALL` that is cancelled after a part has arrived ends with `-ECANCELED`;
  the kernel does not report the number of bytes received (up to 6.0).
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
    """The text of the page. `kernels`: objects with label, release, paths and features."""
    for kernel in kernels:
        empty = [name for name in configurations if not kernel.paths.get(name)]
        if empty:
            raise ValueError(f"{kernel.label} did not report its path: {', '.join(empty)}")
    names = sorted({name for kernel in kernels for name in kernel.features})
    text = _HEAD + _rows("configuration", kernels, configurations, lambda k, name: k.paths[name])
    text += _FEATURES
    text += _rows("feature", kernels, names, lambda k, name: "yes" if name in k.features else "no")
    return text + _BACKING
