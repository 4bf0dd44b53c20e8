"""Every installed library that the build uses, in one list."""

load("//third_party/system:repository.bzl", "system_library")

def _library(name, probe, headers, package, **kwargs):
    system_library(
        name = name,
        build_file = "//third_party/system:%s.BUILD" % name,
        headers = headers,
        probe = probe,
        remedy = "apt-get install %s, or run build_tools/quickstart" % package,
        **kwargs
    )

def system_libraries():
    """Declares the repositories. A missing library fails with a remedy when it is first needed."""
    _library("liburing", "liburing.h", ["liburing.h", "liburing"], "liburing-dev")
    _library("numa", "numa.h", ["numa.h", "numaif.h", "numacompat1.h"], "libnuma-dev")
    _library("googletest", "gmock/gmock.h", ["gtest", "gmock"], "libgtest-dev libgmock-dev")
    _library("benchmark", "benchmark/benchmark.h", ["benchmark"], "libbenchmark-dev")
    _library("cli11", "CLI/CLI.hpp", ["CLI"], "libcli11-dev")
    _library("nlohmann_json", "nlohmann/json.hpp", ["nlohmann"], "nlohmann-json3-dev")
    _library("xxhash", "xxhash.h", ["xxhash.h", "xxh3.h"], "libxxhash-dev")
    _library("libseccomp", "seccomp.h", ["seccomp.h", "seccomp-syscalls.h"], "libseccomp-dev")
    system_library(
        name = "cuda",
        build_file = "//third_party/system:cuda.BUILD",
        headers = ["cuda.h", "cuda_stdint.h"],
        optional = True,
        probe = "cuda.h",
        remedy = "install the CUDA Toolkit, or set CUDA_HOME",
        root_env = ["CUDA_HOME", "CUDA_PATH"],
        roots = ["/usr/local/cuda/include"],
    )
