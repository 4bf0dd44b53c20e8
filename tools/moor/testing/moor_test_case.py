"""Base class of the tests of the program: a folder, the program, and methods to run it."""

import ctypes
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
import unittest

# Long enough for TCP on the loopback device: it stalls if a segment is larger than the window, and
# each stall doubles the wait.
DEADLINE_S = 120

# A user ID that owns no files and may pin only as much memory as RLIMIT_MEMLOCK allows.
UNPRIVILEGED_USER = 65534

_IO_URING_SETUP = 425


def _find(name, variable):
    """The path of a program of this repository: from the variable, or else as built by Bazel."""
    folder = {"moor": "tools/moor", "without_io_uring": "tools/moor/testing"}[name]
    return os.path.abspath(os.environ.get(variable) or os.path.join(folder, name))


def has_io_uring():
    """Whether this process can create a ring."""
    parameters = ctypes.create_string_buffer(120)  # struct io_uring_params
    fd = ctypes.CDLL(None, use_errno=True).syscall(_IO_URING_SETUP, 4, parameters)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def is_root():
    """Whether this is root outside of user namespaces; inside, there may be no other user."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        whole = [line.split() for line in file] == [["0", "0", "4294967295"]]
    return os.geteuid() == 0 and whole


class MoorTestCase(unittest.TestCase):
    """Runs the program on files in a folder that is created for each test."""

    def setUp(self):
        # Not TEST_TMPDIR of Bazel: it may be below root's home directory, which other users
        # cannot access.
        self.folder = tempfile.mkdtemp(prefix="moor-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # Copies that all users can run: often only the builder can access build folders.
        self.programs = tempfile.mkdtemp(prefix="moor-programs-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.programs, ignore_errors=True)
        os.chmod(self.programs, 0o755)
        self.moor = self._install("moor", "MOOR_PROGRAM")

    def _install(self, name, variable):
        path = os.path.join(self.programs, name)
        shutil.copyfile(_find(name, variable), path)
        os.chmod(path, 0o755)
        return path

    def path(self, name):
        return os.path.join(self.folder, name)

    def names(self):
        return sorted(os.listdir(self.folder))

    def require(self, feature, present):
        """Skips the test if `feature` is missing; fails if MOORING_REQUIRE lists it."""
        if present:
            return
        if feature in os.environ.get("MOORING_REQUIRE", "").split(","):
            self.fail(f"MOORING_REQUIRE lists {feature}, but it is missing")
        self.skipTest(f"needs {feature}")

    def command(self, arguments, refuse=None):
        """The command line. `refuse` is the name of the errno that io_uring calls return."""
        prefix = []
        if refuse:
            prefix = [self._install("without_io_uring", "WITHOUT_IO_URING_PROGRAM"), refuse]
        return prefix + [self.moor] + [str(argument) for argument in arguments]

    def run_moor(self, *arguments, refuse=None, **options):
        """Runs the program to its end; stdout and stderr are bytes."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            self.command(arguments, refuse),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            timeout=DEADLINE_S,
            check=False,
            **options,
        )

    def start_moor(self, *arguments, **options):
        """Starts the program, and kills it at the end of the test."""
        process = subprocess.Popen(
            self.command(arguments),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )

        def clean_up():
            process.kill()
            process.communicate()

        self.addCleanup(clean_up)
        return process

    def run_unprivileged(self, *arguments, memlock=None, **options):
        """Runs without the rights of root. `memlock` is the soft and hard limit in bytes."""
        self.require("root", is_root())
        os.chmod(self.folder, 0o777)

        def limit():
            if memlock is not None:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))

        return self.run_moor(
            *arguments,
            user=UNPRIVILEGED_USER,
            group=UNPRIVILEGED_USER,
            extra_groups=[],
            preexec_fn=limit,
            **options,
        )

    def assert_succeeds(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def assert_fails(self, result, *words, status=1):
        """Checks that it printed only a message and a remedy; returns the remedy."""
        self.assertEqual(result.returncode, status, result.stderr)
        text = result.stderr.decode()
        lines = text.splitlines()
        self.assertEqual(len(lines), 2, text)
        self.assertTrue(lines[0].startswith("moor: "), text)
        self.assertTrue(lines[1].startswith("remedy: "), text)
        self.assertGreater(len(lines[1]), len("remedy: "), text)
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(result.stdout, b"")
        return lines[1].removeprefix("remedy: ")

    def report(self, result):
        """The JSON report of a successful run."""
        self.assert_succeeds(result)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 1, result.stdout)
        return json.loads(lines[0])

    def wait_until(self, condition, what):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"timeout: {what}")
            time.sleep(0.005)
