"""Reads the table of layers.bzl, so that Bazel's tests and the include check use the same data."""

import ast
import os

_TABLE = os.path.join(os.path.dirname(__file__), "layers.bzl")


def _read():
    with open(_TABLE, encoding="utf-8") as file:
        for statement in ast.parse(file.read()).body:
            if isinstance(statement, ast.Assign) and statement.targets[0].id == "LAYERS":
                return ast.literal_eval(statement.value)
    raise AssertionError(f"{_TABLE} has no LAYERS")


LAYERS = _read()
