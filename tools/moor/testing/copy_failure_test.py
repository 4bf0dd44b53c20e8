"""`moor copy` that fails: one message, one remedy, and no file left."""

import os
import resource
import signal
import subprocess
import unittest

from tools.moor.testing.files import MIB, read, write_random
from tools.moor.testing.moor_test_case import MoorTestCase


class InvalidPathTest(MoorTestCase):
    def test_missing_source(self):
        result = self.run_moor("copy", self.path("a"), self.path("b"))
        self.assert_fails(result, self.path("a"), "No such file")
        self.assertEqual(self.names(), [])

    def test_source_is_a_directory(self):
        os.mkdir(self.path("d"))
        self.assert_fails(self.run_moor("copy", self.path("d"), self.path("b")), "is a directory")
        self.assertEqual(self.names(), ["d"])

    def test_destination_folder_is_missing(self):
        write_random(self.path("a"), 10)
        for name in ("d/b", "d/"):
            self.assert_fails(self.run_moor("copy", self.path("a"), self.path(name)), "d/")
        self.assertEqual(self.names(), ["a"])

    def test_destination_contains_a_directory_of_that_name(self):
        write_random(self.path("a"), 10)
        os.makedirs(self.path("d/a"))
        self.assert_fails(self.run_moor("copy", self.path("a"), self.path("d")), "is a directory")

    def test_destination_is_a_dangling_link(self):
        write_random(self.path("a"), 10)
        os.symlink("nowhere", self.path("link"))
        self.assert_fails(self.run_moor("copy", self.path("a"), self.path("link")), "link")
        self.assertEqual(self.names(), ["a", "link"])

    def test_same_file_under_any_name_is_rejected(self):
        data = write_random(self.path("a"), 10_000)
        os.symlink("a", self.path("symbolic"))
        os.link(self.path("a"), self.path("hard"))
        before = os.stat(self.path("a"))
        for name in ("a", "symbolic", "hard", ""):
            result = self.run_moor("copy", self.path("a"), self.path(name))
            self.assert_fails(result, "same file")
        self.assertEqual(read(self.path("a")), data)
        self.assertEqual(os.stat(self.path("a")).st_ino, before.st_ino)
        self.assertEqual(os.stat(self.path("a")).st_mtime_ns, before.st_mtime_ns)


class PermissionTest(MoorTestCase):
    def test_source_without_read_permission(self):
        write_random(self.path("a"), 10)
        os.chmod(self.path("a"), 0)
        result = self.run_unprivileged("copy", self.path("a"), self.path("b"))
        self.assert_fails(result, self.path("a"), "Permission denied", "permission")
        self.assertEqual(self.names(), ["a"])

    def test_destination_folder_without_write_permission(self):
        write_random(self.path("a"), 10)
        os.mkdir(self.path("d"), 0o755)
        result = self.run_unprivileged("copy", self.path("a"), self.path("d/b"))
        self.assert_fails(result, "Permission denied", self.path("d"))
        self.assertEqual(os.listdir(self.path("d")), [])

    def test_write_protected_file_is_not_replaced(self):
        write_random(self.path("a"), 10)
        old = write_random(self.path("b"), 20, seed=2)
        os.chmod(self.path("b"), 0o444)
        result = self.run_unprivileged("copy", self.path("a"), self.path("b"))
        self.assert_fails(result, "cannot replace", "chmod")
        self.assertEqual(read(self.path("b")), old)
        self.assertEqual(self.names(), ["a", "b"])


class FullFilesystemTest(MoorTestCase):
    def mount_small(self, size):
        os.mkdir(self.path("small"))
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.path("small")],
            stderr=subprocess.PIPE,
            check=False,
        )
        self.require("mount", mounted.returncode == 0)
        self.addCleanup(subprocess.run, ["umount", self.path("small")], check=True)

    def test_no_space(self):
        self.mount_small("4m")
        # Below 16 MiB a write fails. Above, the reservation fails before the first write.
        for size in (8 * MIB, 40 * MIB):
            write_random(self.path("a"), size)
            old = write_random(self.path("small/b"), 1000, seed=2)
            result = self.run_moor("copy", self.path("a"), self.path("small/b"))
            self.assert_fails(result, "No space left", "small/b", "df -h")
            self.assertEqual(os.listdir(self.path("small")), ["b"])
            self.assertEqual(read(self.path("small/b")), old)

    def test_holes_need_no_space(self):
        self.mount_small("4m")
        with open(self.path("a"), "wb") as file:
            file.write(os.urandom(MIB))
            file.truncate(1 << 30)
        result = self.run_moor("copy", "--digest", "none", self.path("a"), self.path("small/b"))
        self.assert_succeeds(result)
        self.assertEqual(os.stat(self.path("small/b")).st_size, 1 << 30)

    def test_device_that_is_always_full(self):
        write_random(self.path("a"), MIB)
        for engine in ("auto", "threads"):
            result = self.run_moor("copy", "--engine", engine, self.path("a"), "/dev/full")
            self.assert_fails(result, "/dev/full", "No space left")


class LimitTest(MoorTestCase):
    def test_file_size_limit(self):
        write_random(self.path("a"), 4 * MIB)
        for engine in ("auto", "threads"):
            result = self.run_moor(
                "copy",
                "--engine",
                engine,
                self.path("a"),
                self.path("b"),
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB)),
            )
            self.assert_fails(result, "File too large", "ulimit -f")
            self.assertEqual(self.names(), ["a"])

    def test_closed_standard_streams(self):
        """The file that is copied must not get the number of a standard stream."""
        data = write_random(self.path("a"), 100_000)
        command = self.command(["copy", self.path("a"), self.path("b")])
        script = 'exec "$@" <&- >&- 2>&-'
        result = subprocess.run(["sh", "-c", script, "sh", *command], timeout=60, check=False)
        self.assertEqual(result.returncode, 1, "the report was lost")
        self.assertEqual(read(self.path("b")), data)


class ChangingSourceTest(MoorTestCase):
    SIZE = 64 * MIB

    # Make the copy slow enough to be stopped in the middle.
    SLOW = ("--slab-bytes", "2K", "--direct", "off")

    def stop_in_the_middle(self):
        """Starts a copy and stops it after its first write."""
        process = self.start_moor("copy", *self.SLOW, self.path("a"), self.path("b"))

        def temporary_bytes():
            names = [name for name in self.names() if name.startswith(".b.moor-")]
            return os.stat(self.path(names[0])).st_size if names else 0

        self.wait_until(lambda: temporary_bytes() > 0, "a temporary file with data")
        process.send_signal(signal.SIGSTOP)
        self.assertLess(temporary_bytes(), self.SIZE // 2, "the copy was too fast")
        return process

    def test_source_that_shrinks(self):
        write_random(self.path("a"), self.SIZE)
        process = self.stop_in_the_middle()
        os.truncate(self.path("a"), self.SIZE // 2)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=60)
        result = subprocess.CompletedProcess([], process.returncode, output, errors)
        self.assert_fails(
            result, self.path("a"), f"byte {self.SIZE // 2} of {self.SIZE}", "shorter"
        )
        self.assertEqual(self.names(), ["a"])

    def test_source_that_grows(self):
        data = write_random(self.path("a"), self.SIZE)
        process = self.stop_in_the_middle()
        with open(self.path("a"), "ab") as file:
            file.write(b"more")
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(read(self.path("b")), data)

    def test_sparse_source_that_shrinks(self):
        """A file that is truncated within a hole is detected too."""
        with open(self.path("a"), "wb") as file:
            file.write(os.urandom(self.SIZE))
            file.truncate(4 * self.SIZE)
        process = self.stop_in_the_middle()
        os.truncate(self.path("a"), 2 * self.SIZE)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=60)
        result = subprocess.CompletedProcess([], process.returncode, output, errors)
        self.assert_fails(result, f"byte {2 * self.SIZE} of {4 * self.SIZE}")
        self.assertEqual(self.names(), ["a"])


if __name__ == "__main__":
    unittest.main()
