"""Compares the layout of the headers with c_api/abi/layout.txt, and names what to do next.

Usage: layout.py LAYOUT_DUMP GOLDEN HEADER...    rewrites GOLDEN (bazel run //c_api:update_layout)
"""

import re
import subprocess
import sys

from c_api.tests import headers

UPDATE = "bazel run //c_api:update_layout"

_GO = "bindings/go/internal/capi"
_RUST = "bindings/rust/mooring_sys/src"


def _entries(text):
    """Name -> the rest of its line."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def _has_grown(name, old, new, entries):
    """Whether the difference is a larger size of a struct that begins with struct_size."""
    form = re.compile(r"size (\d+) align (\d+)")
    before, after = form.fullmatch(old), form.fullmatch(new)
    if not before or not after or before.group(2) != after.group(2):
        return False
    return f"{name}.struct_size" in entries and int(after.group(1)) > int(before.group(1))


def released_changes(golden, actual):
    """Messages about released lines that the headers have changed. There must be none."""
    entries = _entries(actual)
    for name, old in _entries(golden).items():
        new = entries.get(name, "nothing")
        if new != old and not _has_grown(name, old, new, entries):
            yield f"{name}: {old} is released, and the headers now have {new}"


def _files_of_struct(struct, noun):
    if struct == "mooring_ring_stats_t":
        source = "cpp/ring/ring_stats.h (MOORING_RING_STATS)"
    else:
        source = f"c_api/src/{noun}.cc (ToInfo or ToOptions)"
    return [source, f"{_RUST}/{noun}.rs", f"{_GO}/types.go"]


def _files_of_constant(noun):
    return [f"{_RUST}/{noun}.rs", f"{_GO}/capi.go"]


def additions(golden, actual, nouns):
    """What the headers add: pairs of a line, and the files that must have the addition too."""
    known = _entries(golden)
    for name, rest in _entries(actual).items():
        struct = name.split(".")[0]
        if known.get(name) == rest:
            continue
        is_struct = struct.startswith("mooring_")
        noun = nouns[struct]
        files = _files_of_struct(struct, noun) if is_struct else _files_of_constant(noun)
        yield f"{name} {rest}", files


def report(golden, actual, nouns):
    """The text of a failure, "" where the two are equal."""
    if golden == actual:
        return ""
    broken = list(released_changes(golden, actual))
    if broken:
        broken.append("restore these in c_api/include/mooring, and add fields only at the end")
        return "\n".join(broken)
    new = list(additions(golden, actual, nouns))
    if not new:
        return f"the lines of c_api/abi/layout.txt are in another order; run: {UPDATE}"
    lines = ["the headers have, and c_api/abi/layout.txt does not:"]
    lines += [f"  {line}" for line, _ in new]
    lines.append(f"next, run: {UPDATE}")
    lines.append("then edit, where this is not done yet:")
    files = dict.fromkeys(file for _, files in new for file in files)
    return "\n".join(lines + [f"  {file}" for file in files])


def run(program):
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    program, path, *header_paths = sys.argv[1:]
    golden, actual = read(path), run(program)
    if golden == actual:
        print(f"{path}: no change")
        return
    text = report(golden, actual, headers.parse_files(header_paths).nouns)
    if any(released_changes(golden, actual)):
        sys.exit(f"{path} is not changed\n{text}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(actual)
    print(text.replace(f"next, run: {UPDATE}\nthen edit", f"{path} is rewritten; next, edit"))


if __name__ == "__main__":
    main()
