"""`moor copy`: the copy is correct for all sizes, file types and I/O paths."""

import os
import stat
import threading
import time
import unittest

from tools.moor.testing.files import MIB, drop_from_cache, read, write_random, xxh64
from tools.moor.testing.moor_test_case import MoorTestCase, is_root

SIZES = (0, 1, 511, 512, 513, MIB - 1, MIB, MIB + 1)


class SizesTest(MoorTestCase):
    def copy_all(self, *options):
        for size in SIZES:
            with self.subTest(size=size):
                data = write_random(self.path("a"), size, seed=size)
                result = self.run_moor("copy", *options, "--json", self.path("a"), self.path("b"))
                report = self.report(result)
                self.assertEqual(read(self.path("b")), data)
                self.assertEqual(report["bytes"], size)
        self.assertEqual(self.names(), ["a", "b"])

    def test_every_size(self):
        self.copy_all()

    def test_every_size_with_threads(self):
        self.copy_all("--engine", "threads")

    def test_every_size_without_pinned_memory(self):
        self.copy_all("--registration", "never")

    def test_every_size_with_a_small_slab_of_odd_buffers(self):
        self.copy_all("--slab-bytes", "24K", "--buffer-bytes", "1536")

    def test_every_size_with_one_buffer(self):
        self.copy_all("--slab-bytes", "64K", "--buffer-bytes", "64K")

    def test_digest(self):
        for size in (0, 1, 31, 32, 100_003):
            data = write_random(self.path("a"), size, seed=size)
            report = self.report(
                self.run_moor("copy", "--json", self.path("a"), self.path("b"))
            )
            self.assertEqual(report["digest"], xxh64(data))

    def test_larger_than_the_slab(self):
        data = write_random(self.path("a"), 70 * MIB + 7)
        report = self.report(
            self.run_moor("copy", "--json", "--slab-bytes", "8M", self.path("a"), self.path("b"))
        )
        self.assertEqual(read(self.path("b")), data)
        self.assertEqual(report["bytes"], len(data))

    def test_with_a_window_smaller_than_the_slab(self):
        data = write_random(self.path("a"), 9 * MIB + 1)
        options = ["--slab-bytes", "8M", "--buffer-bytes", "64K", "--window-bytes", "128K"]
        self.assert_succeeds(self.run_moor("copy", *options, self.path("a"), self.path("b")))
        self.assertEqual(read(self.path("b")), data)


class SparseTest(MoorTestCase):
    def test_holes_of_five_gigabytes_are_kept(self):
        size = 5 << 30
        with open(self.path("a"), "wb") as file:
            file.truncate(size)
            for offset in (0, 1 << 30, size - MIB - 12345):
                file.seek(offset)
                file.write(os.urandom(MIB))
        started = time.monotonic()
        report = self.report(
            self.run_moor("copy", "--json", "--digest", "none", self.path("a"), self.path("b"))
        )
        seconds = time.monotonic() - started
        status = os.stat(self.path("b"))
        self.assertEqual((report["bytes"], status.st_size), (size, size))
        self.assertLess(status.st_blocks * 512, 16 * MIB)
        self.assertLess(seconds, 20, "the holes were read")
        with open(self.path("a"), "rb") as a, open(self.path("b"), "rb") as b:
            for offset in (0, 1 << 29, 1 << 30, size - MIB - 12345):
                a.seek(offset)
                b.seek(offset)
                self.assertEqual(a.read(2 * MIB), b.read(2 * MIB))

    def test_digest_counts_holes_as_zeros(self):
        with open(self.path("a"), "wb") as file:
            file.truncate(200_000)
            file.seek(100_000)
            file.write(b"middle")
        report = self.report(self.run_moor("copy", "--json", self.path("a"), self.path("b")))
        self.assertEqual(report["digest"], xxh64(read(self.path("a"))))
        self.assertEqual(read(self.path("a")), read(self.path("b")))

    def test_file_that_is_one_hole(self):
        with open(self.path("a"), "wb") as file:
            file.truncate(MIB + 1)
        report = self.report(self.run_moor("copy", "--json", self.path("a"), self.path("b")))
        self.assertEqual(report["operations"]["read"] + report["operations"]["read_fixed"], 0)
        self.assertEqual(os.stat(self.path("b")).st_blocks, 0)
        self.assertEqual(read(self.path("b")), bytes(MIB + 1))


class MetadataTest(MoorTestCase):
    def test_mode_and_times_are_kept(self):
        write_random(self.path("a"), 1000)
        os.chmod(self.path("a"), 0o751)
        os.utime(self.path("a"), ns=(10**18 + 123, 11 * 10**17 + 456))
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("b")))
        status = os.stat(self.path("b"))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o751)
        self.assertEqual(status.st_mtime_ns, 11 * 10**17 + 456)

    def test_owner_is_kept_by_root(self):
        self.require("root", is_root())
        write_random(self.path("a"), 1000)
        os.chown(self.path("a"), 12345, 54321)
        os.chmod(self.path("a"), 0o4755)
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("b")))
        status = os.stat(self.path("b"))
        self.assertEqual((status.st_uid, status.st_gid), (12345, 54321))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o4755)

    def test_set_user_id_is_dropped_for_another_owner(self):
        write_random(self.path("a"), 1000)
        os.chmod(self.path("a"), 0o4755)
        result = self.run_unprivileged("copy", self.path("a"), self.path("b"))
        self.assert_succeeds(result)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("b")).st_mode), 0o755)


class NamesTest(MoorTestCase):
    def test_into_a_directory(self):
        data = write_random(self.path("a"), 1000)
        os.mkdir(self.path("d"))
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("d")))
        self.assertEqual(read(self.path("d/a")), data)

    def test_to_a_name_in_the_current_directory(self):
        data = write_random(self.path("a"), 1000)
        self.assert_succeeds(self.run_moor("copy", "a", "b", cwd=self.folder))
        self.assertEqual(read(self.path("b")), data)

    def test_existing_file_is_replaced(self):
        data = write_random(self.path("a"), 1000)
        write_random(self.path("b"), 5000, seed=2)
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("b")))
        self.assertEqual(read(self.path("b")), data)

    def test_target_of_a_link_is_replaced(self):
        data = write_random(self.path("a"), 1000)
        os.mkdir(self.path("d"))
        write_random(self.path("d/target"), 10, seed=2)
        os.symlink("d/target", self.path("link"))
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("link")))
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertEqual(read(self.path("d/target")), data)

    def test_sync(self):
        data = write_random(self.path("a"), MIB + 1)
        self.assert_succeeds(self.run_moor("copy", "--sync", self.path("a"), self.path("b")))
        self.assertEqual(read(self.path("b")), data)

    def test_longest_name(self):
        data = write_random(self.path("a"), 1000)
        name = "x" * 255
        self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path(name)))
        self.assertEqual(read(self.path(name)), data)

    def test_names_that_look_like_options(self):
        data = write_random(self.path("-a"), 1000)
        self.assert_succeeds(self.run_moor("copy", "--", "-a", "[b]", cwd=self.folder))
        self.assertEqual(read(self.path("[b]")), data)


class SpecialFilesTest(MoorTestCase):
    def feed(self, path, data):
        """Writes `data` to a FIFO from another thread."""

        def write():
            with open(path, "wb") as file:
                file.write(data)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)

    def test_from_a_fifo(self):
        data = os.urandom(3 * MIB + 17)
        os.mkfifo(self.path("fifo"))
        self.feed(self.path("fifo"), data)
        report = self.report(self.run_moor("copy", "--json", self.path("fifo"), self.path("b")))
        self.assertEqual(read(self.path("b")), data)
        self.assertEqual(report["bytes"], len(data))
        self.assertTrue(stat.S_ISREG(os.stat(self.path("b")).st_mode))

    def test_from_a_fifo_with_threads(self):
        data = os.urandom(MIB + 17)
        os.mkfifo(self.path("fifo"))
        self.feed(self.path("fifo"), data)
        self.report(
            self.run_moor(
                "copy", "--json", "--engine", "threads", self.path("fifo"), self.path("b")
            )
        )
        self.assertEqual(read(self.path("b")), data)

    def test_from_standard_input(self):
        data = write_random(self.path("a"), MIB + 1)
        for name in ("-", "/dev/stdin"):
            with open(self.path("a"), "rb") as file:
                self.assert_succeeds(self.run_moor("copy", name, self.path("b"), stdin=file))
            self.assertEqual(read(self.path("b")), data)

    def test_standard_input_from_its_file_position(self):
        data = write_random(self.path("a"), 10_000)
        with open(self.path("a"), "rb") as file:
            os.lseek(file.fileno(), 4000, os.SEEK_SET)
            self.assert_succeeds(self.run_moor("copy", "-", self.path("b"), stdin=file))
        self.assertEqual(read(self.path("b")), data[4000:])

    def test_file_without_a_real_size(self):
        self.assert_succeeds(self.run_moor("copy", "/proc/version", self.path("b")))
        self.assertEqual(read(self.path("b")), read("/proc/version"))

    def test_into_a_device(self):
        write_random(self.path("a"), MIB + 1)
        report = self.report(self.run_moor("copy", "--json", self.path("a"), "/dev/null"))
        self.assertEqual(report["bytes"], MIB + 1)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_into_a_fifo(self):
        data = write_random(self.path("a"), MIB + 1)
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("copy", self.path("a"), self.path("fifo"))
        self.assertEqual(read(self.path("fifo")), data)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)


class ConcurrentCopiesTest(MoorTestCase):
    def test_two_copies_to_one_name(self):
        contents = [write_random(self.path(name), 20 * MIB, seed=name) for name in "ab"]
        processes = [self.start_moor("copy", self.path(name), self.path("c")) for name in "ab"]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, errors)
        self.assertIn(read(self.path("c")), contents)
        self.assertEqual(self.names(), ["a", "b", "c"])

    def test_two_copies_of_one_file(self):
        data = write_random(self.path("a"), 20 * MIB)
        processes = [self.start_moor("copy", self.path("a"), self.path(name)) for name in "bc"]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(read(self.path("b")), data)
        self.assertEqual(read(self.path("c")), data)


class DirectTest(MoorTestCase):
    def require_direct(self, path):
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
        except OSError:
            self.skipTest("needs a filesystem with direct I/O")

    def test_direct_reads_are_correct(self):
        for size in (4096, 12 * MIB, 12 * MIB + 1, 12 * MIB - 511):
            data = write_random(self.path("a"), size)
            self.require_direct(self.path("a"))
            for slab in ("64M", "100K"):
                options = ["--json", "--direct", "on", "--slab-bytes", slab]
                report = self.report(
                    self.run_moor("copy", *options, self.path("a"), self.path("b"))
                )
                self.assertEqual(read(self.path("b")), data)
                self.assertEqual(report["direct"], {"used": True, "reason": "none"})

    def test_auto_reads_a_large_file_directly_unless_it_is_cached(self):
        data = write_random(self.path("a"), 20 * MIB + 3)
        self.require_direct(self.path("a"))
        drop_from_cache(self.path("a"))
        report = self.report(self.run_moor("copy", "--json", self.path("a"), self.path("b")))
        if report["direct"]["reason"] == "cached":
            self.skipTest("needs a filesystem that evicts pages")
        self.assertEqual(report["direct"], {"used": True, "reason": "none"})
        self.assertEqual(read(self.path("b")), data)
        read(self.path("a"))
        report = self.report(self.run_moor("copy", "--json", self.path("a"), self.path("b")))
        self.assertEqual(report["direct"], {"used": False, "reason": "cached"})

    def test_auto_reports_its_reason(self):
        write_random(self.path("a"), 100)  # less than any block
        write_random(self.path("empty"), 0)
        for source, options, reason in (
            ("a", [], "small_file"),
            ("a", ["--direct", "off"], "policy"),
            ("a", ["--direct", "on"], "small_file"),
            ("empty", ["--direct", "on"], "empty"),
        ):
            self.require_direct(self.path(source))
            result = self.run_moor(
                "copy", "--json", *options, self.path(source), self.path("b")
            )
            self.assertEqual(
                self.report(result)["direct"], {"used": False, "reason": reason}, options
            )
        report = self.report(self.run_moor("copy", "--json", "/proc/version", self.path("b")))
        self.assertEqual(report["direct"], {"used": False, "reason": "not_regular"})

    def test_direct_on_fails_if_not_supported(self):
        result = self.run_moor("copy", "--direct", "on", "/proc/version", self.path("b"))
        self.assert_fails(result, "not_regular", "--direct")
        self.assertEqual(self.names(), [])


if __name__ == "__main__":
    unittest.main()
