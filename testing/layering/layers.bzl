"""The layers and what each may include besides itself: docs/ARCHITECTURE.md as data for tests.

Plain data: testing/layering/layers.py reads this same file for the include check.
"""

LAYERS = {
    "c_api": [
        "cpp/base",
        "cpp/device",
        "cpp/device/cuda",
        "cpp/device/host",
        "cpp/engine",
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
    # Of this folder only create_engine sees the two engines: BUILD.bazel here checks it.
    "cpp/engine": [
        "cpp/base",
        "cpp/engine/io_uring",
        "cpp/engine/threads",
        "cpp/os",
    ],
    "cpp/engine/io_uring": ["cpp/base", "cpp/engine", "cpp/os"],
    "cpp/engine/threads": ["cpp/base", "cpp/engine", "cpp/os"],
    "cpp/os": ["cpp/base"],
    "cpp/registration": [
        "cpp/base",
        "cpp/device",
        "cpp/engine",
        "cpp/os",
        "cpp/slabs",
    ],
    "cpp/ring": [
        "cpp/base",
        "cpp/device",
        "cpp/engine",
        "cpp/os",
        "cpp/registration",
        "cpp/slabs",
    ],
    "cpp/slabs": ["cpp/base", "cpp/os"],
    "cpp/stream": [
        "cpp/base",
        "cpp/device",
        "cpp/engine",
        "cpp/os",
        "cpp/registration",
        "cpp/ring",
        "cpp/slabs",
    ],
}
