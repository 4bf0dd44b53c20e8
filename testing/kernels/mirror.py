"""This machine's Debian mirror, through apt, which handles hosts and proxies."""

import functools
import os
import subprocess
import tempfile

_HELPER = "/usr/lib/apt/apt-helper"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class MirrorError(Exception):
    """No mirror, or the file is missing; the text has the remedy."""


class VanishedError(MirrorError):
    """The mirror does not have the file any more."""


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


@functools.lru_cache(maxsize=None)
def address():
    """The mirror that apt takes Debian's own packages from, without a slash at its end."""
    form = ("--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    answer = _run("apt-get", "indextargets", *form)
    sites = [line.split() for line in answer.stdout.splitlines()]
    for label, site in (pair for pair in sites if len(pair) == 2):
        # Before the first `apt-get update`, apt knows addresses and no labels.
        if label == "Debian" or (label == "$(LABEL)" and site.rstrip("/").endswith("/debian")):
            return site.rstrip("/")
    raise MirrorError("apt's sources list no Debian mirror: add one, then run apt-get update")


def download(path, sha256, destination):
    """Downloads one file of the mirror, and verifies its checksum."""
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    site = address()
    answer = _run(_HELPER, "download-file", f"{site}/{path}", destination, f"SHA256:{sha256}")
    if answer.returncode == 0:
        return
    if " 404 " in answer.stderr:
        raise VanishedError(f"{site} does not have {path} any more")
    raise MirrorError(f"{path}: {answer.stderr.strip()}")


def paragraphs(text):
    for paragraph in text.split("\n\n"):
        lines = [line.split(": ", 1) for line in paragraph.splitlines() if not line.startswith(" ")]
        fields = dict(line for line in lines if len(line) == 2)
        if "Package" in fields:
            yield fields


def packages(suite):
    """The fields of every package of a suite, whether or not this machine's sources list it.

    By an apt of its own: lists that the machine does not ask for stay out of /var/lib/apt.
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
