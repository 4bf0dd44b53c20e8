"""The Debian mirror of this machine, through apt, which has the host and proxy settings."""

import functools
import os
import subprocess
import tempfile

_HELPER = "/usr/lib/apt/apt-helper"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class MirrorError(Exception):
    """There is no mirror, or a download failed. The text has the remedy, where one is known."""


class VanishedError(MirrorError):
    """The file is no longer on the mirror."""


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


@functools.lru_cache(maxsize=None)
def address():
    """Returns the mirror that apt uses for the packages of Debian, without a slash at its end."""
    form = ("--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    result = _run("apt-get", "indextargets", *form)
    sites = [line.split() for line in result.stdout.splitlines()]
    for label, site in (pair for pair in sites if len(pair) == 2):
        # Before the first `apt-get update`, apt has addresses but no labels.
        if label == "Debian" or (label == "$(LABEL)" and site.rstrip("/").endswith("/debian")):
            return site.rstrip("/")
    raise MirrorError("no Debian mirror in the sources of apt: add one, then run apt-get update")


def download(path, sha256, destination):
    """Downloads one file of the mirror and checks its checksum."""
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    site = address()
    result = _run(_HELPER, "download-file", f"{site}/{path}", destination, f"SHA256:{sha256}")
    if result.returncode == 0:
        return
    if " 404 " in result.stderr:
        raise VanishedError(f"{path} is no longer on {site}")
    raise MirrorError(f"{path}: {result.stderr.strip()}")


def paragraphs(text):
    for paragraph in text.split("\n\n"):
        lines = [line.split(": ", 1) for line in paragraph.splitlines() if not line.startswith(" ")]
        fields = dict(line for line in lines if len(line) == 2)
        if "Package" in fields:
            yield fields


def packages(suite):
    """Returns the fields of every package of a suite, also of one that is not in the apt sources.

    It runs apt with separate folders, so the lists are not added to /var/lib/apt.
    """
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(f"{root}/lists/partial")
        os.makedirs(f"{root}/archives/partial")
        with open(f"{root}/sources.list", "w", encoding="utf-8") as file:
            file.write(f"deb [signed-by={_KEYRING}] {address()} {suite} main\n")
        own = []
        for setting in (
            f"Dir::Etc::SourceList={root}/sources.list",
            "Dir::Etc::SourceParts=/dev/null",
            f"Dir::State::Lists={root}/lists",
            f"Dir::Cache={root}",
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
        ):
            own += ["-o", setting]
        update = _run("apt-get", *own, "update")
        form = ("--format", "$(FILENAME)", "Created-By: Packages")
        index = _run("apt-get", *own, "indextargets", *form)
        names = index.stdout.split()
        if update.returncode != 0 or not names:
            raise MirrorError(f"{suite}: {update.stderr.strip() or 'no such suite on the mirror'}")
        text = _run(_HELPER, "cat-file", names[0]).stdout
    return list(paragraphs(text))
