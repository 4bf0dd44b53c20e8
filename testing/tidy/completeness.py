"""Every source is built and checked. These checks read the whole tree together."""

import os
import re

from testing.layering.layers import LAYERS
from testing.tidy.source_tree import Finding

# Folders whose sources must each be named in a BUILD file.
_BUILT = ("cpp", "c_api", "tools", "bindings", "testing", "benchmarks", "examples", "build_tools")
_LANGUAGES = ("h", "cc", "c", "cu", "py", "rs", "go")

# Used only by the tool of a language.
_OF_OTHER_TOOLS = ("build.rs",)

_LAYER_TESTS = "testing/layering/BUILD.bazel"


def _owner(source, build_files):
    """The BUILD file of the package that a source lies in, or None."""
    folder = os.path.dirname(source.path)
    while folder:
        if f"{folder}/BUILD.bazel" in build_files:
            return build_files[f"{folder}/BUILD.bazel"]
        folder = os.path.dirname(folder)
    return None


def check_every_source_is_built(sources):
    """A source that no target names is a test that never runs."""
    build_files = {source.path: source for source in sources if source.name == "BUILD.bazel"}
    for source in sources:
        extension = os.path.splitext(source.name)[1]
        if not source.inside(*_BUILT) or extension[1:] not in _LANGUAGES:
            continue
        if source.name in _OF_OTHER_TOOLS:
            continue
        owner = _owner(source, build_files)
        if not owner:
            yield Finding(source, 1, "in no package: no BUILD.bazel here or above")
            continue
        name = os.path.relpath(source.path, os.path.dirname(owner.path))
        stem = name.removesuffix(extension)
        # By name, by the name that a list comprehension completes, or by a glob.
        named = re.escape(stem) + rf"({re.escape(extension)})?"
        glob = r"[^\"]*\*" + re.escape(extension)
        if not re.search(rf'"({named}|{glob})"', owner.text):
            yield Finding(source, 1, f"no target of {owner.path} names it")


def check_every_layer_is_tested(sources):
    folders = {os.path.dirname(source.path) for source in sources if source.suffix == "cc"}
    tests = next(source for source in sources if source.path == _LAYER_TESTS)
    for layer in LAYERS:
        if layer in folders and not re.search(rf'layer_test\(\s*"{layer}"', tests.text):
            yield Finding(tests, 1, f"no layer_test for {layer}")
