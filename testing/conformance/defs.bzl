"""The conformance suites, and the test of one configuration, which runs all of them."""

load("//build_tools/cc:defs.bzl", "mooring_cc_library", "mooring_cc_test")

_SUITES = [
    "engine",
    "errors",
    "fork",
    "late_writes",
    "leases",
    "lifecycle",
    "limits",
    "reading_and_writing",
    "registration",
    "slabs",
    "sockets",
]

def mooring_conformance_suite(name, srcs):
    """The suites of one folder, over the C interface only. Every conformance test links them."""
    mooring_cc_library(
        name = name,
        testonly = True,
        srcs = srcs,
        visibility = ["//testing:__subpackages__"],
        deps = [
            "//c_api:headers",
            "//testing/support",
            "//testing/support:conformance",
            "//testing/support:process",
            "@googletest//:gtest",
        ],
        # Tests register themselves, so no other file refers to this library.
        alwayslink = True,
    )

def mooring_conformance_test(configuration, tags = [], masks_kernel = False):
    """`<configuration>_test`: all suites in the configuration of `<configuration>.cc`.

    masks_kernel: the preparation has a mask, so the test links testing/support:kernel_mask.
    """
    mooring_cc_test(
        name = configuration + "_test",
        size = "medium",
        srcs = [configuration + ".cc"],
        main = False,
        tags = tags,
        deps = [
                   "//c_api:mooring",
                   "//testing/support:conformance",
                   "//testing/support:main",
                   "//testing/support:process",
               ] + ["//testing/conformance/" + suite for suite in _SUITES] +
               (["//testing/support:kernel_mask"] if masks_kernel else []),
    )
