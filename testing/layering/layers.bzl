"""The layers and what each may see, itself aside: docs/ARCHITECTURE.md in a form that tests read.

Plain data: testing/layering/layers.py reads this same file for the include check.
"""

LAYERS = {
    "c_api": [
        "cpp/base",
        "cpp/device",
        "cpp/device/cuda",
        "cpp/device/host",
        "cpp/fixed_buffers",
        "cpp/operations",
        "cpp/os",
        "cpp/registration",
        "cpp/ring",
        "cpp/slabs",
        "cpp/stream",
    ],
    "cpp/base": [],
    "cpp/device": ["cpp/base", "cpp/os"],
    "cpp/device/cuda": ["cpp/base", "cpp/device", "cpp/os"],
    "cpp/device/host": ["cpp/base", "cpp/device", "cpp/os"],
    "cpp/fixed_buffers": ["cpp/base"],
    "cpp/operations": [
        "cpp/base",
        "cpp/device",
        "cpp/fixed_buffers",
        "cpp/os",
        "cpp/registration",
        "cpp/ring",
        "cpp/slabs",
    ],
    "cpp/os": ["cpp/base"],
    "cpp/registration": [
        "cpp/base",
        "cpp/device",
        "cpp/fixed_buffers",
        "cpp/os",
        "cpp/ring",
        "cpp/slabs",
    ],
    "cpp/ring": ["cpp/base", "cpp/os"],
    "cpp/slabs": ["cpp/base", "cpp/os"],
    "cpp/stream": [
        "cpp/base",
        "cpp/device",
        "cpp/operations",
        "cpp/os",
        "cpp/registration",
        "cpp/ring",
        "cpp/slabs",
    ],
}
