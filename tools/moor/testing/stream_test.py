"""`moor stream`: files in order, discarded or to standard output."""

import json
import os
import subprocess
import threading
import unittest

from tools.moor.testing.files import MIB, read, write_random, xxh64
from tools.moor.testing.moor_test_case import MoorTestCase


class StreamTest(MoorTestCase):
    def write_some(self):
        """Writes files of various sizes; returns their paths and all their bytes."""
        paths, data = [], b""
        for index, size in enumerate((1, 0, MIB + 1, 300_000, 0, 7 * MIB)):
            paths.append(self.path(f"f{index}"))
            data += write_random(paths[-1], size, seed=index)
        return paths, data

    def test_to_null(self):
        paths, data = self.write_some()
        report = self.report(self.run_moor("stream", "--json", *paths))
        self.assertEqual(report["bytes"], len(data))
        self.assertEqual(report["operations"]["write"] + report["operations"]["write_fixed"], 0)

    def test_digest_is_of_all_bytes_in_order(self):
        paths = [self.path("a"), self.path("b")]
        data = write_random(paths[0], 50_001) + write_random(paths[1], 40_003, seed=2)
        report = self.report(self.run_moor("stream", "--json", "--to", "null", *paths))
        self.assertEqual(report["digest"], xxh64(data))

    def test_to_standard_output(self):
        paths, data = self.write_some()
        for options in ([], ["--engine", "threads"], ["--slab-bytes", "8K"]):
            result = self.run_moor("stream", *options, *paths, "--to", "stdout")
            self.assert_succeeds(result)
            self.assertEqual(result.stdout, data)
            self.assertIn(b"streamed", result.stderr)

    def test_json_does_not_mix_with_the_bytes(self):
        paths, data = self.write_some()
        result = self.run_moor("stream", "--json", *paths, "--to", "stdout")
        self.assert_succeeds(result)
        self.assertEqual(result.stdout, data)
        self.assertEqual(json.loads(result.stderr)["bytes"], len(data))

    def test_into_a_file_at_its_file_position(self):
        paths, data = self.write_some()
        with open(self.path("out"), "wb") as file:
            file.write(b"head")
            file.flush()
            result = self.run_moor("stream", *paths, "--to", "stdout", stdout=file)
            self.assert_succeeds(result)
            file.write(b"tail")
        self.assertEqual(read(self.path("out")), b"head" + data + b"tail")

    def test_appends_to_a_file_opened_for_append(self):
        data = write_random(self.path("a"), 3 * MIB)
        with open(self.path("out"), "wb") as file:
            file.write(b"head")
        with open(self.path("out"), "ab") as file:
            self.assert_succeeds(
                self.run_moor("stream", self.path("a"), "--to", "stdout", stdout=file)
            )
        self.assertEqual(read(self.path("out")), b"head" + data)

    def test_non_blocking_pipe(self):
        data = write_random(self.path("a"), 3 * MIB)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        process = self.start_moor("stream", "-q", self.path("a"), "--to", "stdout", stdout=writer)
        os.close(writer)
        with open(reader, "rb") as file:
            self.assertEqual(file.read(), data)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (0, b""))

    def test_from_standard_input_among_files(self):
        head = write_random(self.path("a"), 100_000)
        middle = os.urandom(MIB + 3)
        result = self.run_moor(
            "stream",
            self.path("a"),
            "-",
            self.path("a"),
            "--to",
            "stdout",
            stdin=None,
            input=middle,
        )
        self.assert_succeeds(result)
        self.assertEqual(result.stdout, head + middle + head)

    def test_data_of_a_pipe_is_written_immediately(self):
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("stream", self.path("fifo"), "--to", "stdout")
        with open(self.path("fifo"), "wb", buffering=0) as writer:
            for data in (b"one", b"two", b"three"):
                writer.write(data)
                self.assertEqual(os.read(process.stdout.fileno(), 100), data)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_holes_are_zeros(self):
        with open(self.path("a"), "wb") as file:
            file.truncate(3 * MIB)
        result = self.run_moor("stream", self.path("a"), "--to", "stdout")
        self.assertEqual(result.stdout, bytes(3 * MIB))


class StreamFailureTest(MoorTestCase):
    def test_missing_file_is_reported_before_the_first_read(self):
        write_random(self.path("a"), 1000)
        result = self.run_moor("stream", self.path("a"), self.path("b"), "--to", "stdout")
        self.assert_fails(result, self.path("b"), "No such file")

    def test_directory(self):
        self.assert_fails(self.run_moor("stream", self.folder), "is a directory")

    def test_reader_that_closes_the_pipe(self):
        write_random(self.path("a"), 8 * MIB)
        process = self.start_moor("stream", self.path("a"), "--to", "stdout")
        self.assertEqual(len(os.read(process.stdout.fileno(), 10)), 10)
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), 1)
        self.assertEqual(process.stderr.read(), b"", "no message, as with cat")

    def test_output_among_the_inputs(self):
        data = write_random(self.path("a"), 1000)
        with open(self.path("a"), "ab") as file:
            result = self.run_moor(
                "stream", self.path("a"), "--to", "stdout", stdout=file, stderr=subprocess.PIPE
            )
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"is also standard output", result.stderr)
        self.assertEqual(read(self.path("a")), data)

    def test_output_that_is_full(self):
        write_random(self.path("a"), MIB)
        with open("/dev/full", "wb") as full:
            result = self.run_moor("stream", self.path("a"), "--to", "stdout", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)

    def test_file_that_shrinks(self):
        """The reader stops in the middle, so the file can be truncated before the rest is read."""
        write_random(self.path("a"), 64 * MIB)
        process = self.start_moor(
            "stream", self.path("a"), "--to", "stdout", "--slab-bytes", "64K", "--direct", "off"
        )
        self.assertEqual(len(os.read(process.stdout.fileno(), 10)), 10)
        os.truncate(self.path("a"), 32 * MIB)
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        errors = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 1)
        drain.join(10)
        self.assertIn(f"byte {32 * MIB} of {64 * MIB}", errors)


if __name__ == "__main__":
    unittest.main()
