"""The build stays offline, and its tags stay few."""

import re

from testing.tidy.source_tree import Finding

# CONTRIBUTING.md explains the tags. Those of the last row are defined by Bazel.
_TAGS = {"io_uring", "memlock", "gpu", "exclusive", "benchmark", "rust", "go"}
_TAGS |= {"no_sanitizer", "slow"}
_TAGS |= {"manual", "local", "external", "no-cache", "no-sandbox"}

_TAG_LIST = re.compile(r"\btags\s*=\s*\[(.*?)\]", re.DOTALL)
_DOWNLOADS = re.compile(
    r"\b(http_" + r"archive|http_" + r"file|git_" + r"repository|download_and_" + r"extract)\b"
)

_URL = re.compile(r"\bhttps?://([A-Za-z0-9.-]+)")

# Hosts of documentation. Any other host in the tree would have to be reachable from
# the user's machine, which configures its own package hosts.
_HOSTS = re.compile(
    r"^(localhost|127\.0\.0\.1|(.*\.)?(apache|kernel|man7|gnu|llvm|example)\.org"
    r"|(.*\.)?example\.com|(www\.)?keepachangelog\.com|semver\.org|github\.com|docs\.nvidia\.com)$"
)


def check_tags(source):
    if not source.is_build_file:
        return
    for match in _TAG_LIST.finditer(source.text):
        for tag in re.findall(r'"([^"]*)"', match.group(1)):
            if tag not in _TAGS:
                line = source.text.count("\n", 0, match.start()) + 1
                yield Finding(source, line, f'tag "{tag}" is not in the list of CONTRIBUTING.md')


def check_downloads(source):
    if not source.is_build_file:
        return
    for number, line in enumerate(source.lines, 1):
        match = _DOWNLOADS.search(line)
        if match:
            yield Finding(source, number, f"{match.group(0)}: the build downloads nothing")


def check_hosts(source):
    for number, line in enumerate(source.lines, 1):
        for host in _URL.findall(line):
            if "." in host and not _HOSTS.match(host):
                yield Finding(source, number, f"{host}: name no host but documentation's")
