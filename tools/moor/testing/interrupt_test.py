"""SIGINT, SIGTERM and SIGHUP: a message, exit status 1, and no file left."""

import os
import platform
import pty
import signal
import subprocess
import unittest

from tools.moor.testing.files import MIB, write_random
from tools.moor.testing.moor_test_case import MoorTestCase

# The number of openat(2) in /proc/PID/syscall.
_OPENAT = {"x86_64": 257}.get(platform.machine(), 56)


class InterruptTest(MoorTestCase):
    def start_slow_copy(self, *options, data=b"some bytes"):
        """A copy from a FIFO that contains some bytes and stays open."""
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("copy", *options, self.path("fifo"), self.path("b"))
        writer = os.open(self.path("fifo"), os.O_WRONLY)
        self.addCleanup(os.close, writer)
        os.write(writer, data)

        def written():
            names = [name for name in self.names() if name.startswith(".b.moor-")]
            return names and os.stat(self.path(names[0])).st_size == len(data)

        self.wait_until(written, "the bytes in the temporary file")
        return process

    def finish(self, process):
        output, errors = process.communicate(timeout=20)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def test_each_signal_leaves_no_file(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                process = self.start_slow_copy()
                process.send_signal(number)
                self.assert_fails(self.finish(process), f"interrupted by {number.name}")
                self.assertEqual(self.names(), ["fifo"])
                os.unlink(self.path("fifo"))

    def test_with_threads(self):
        process = self.start_slow_copy("--engine", "threads")
        process.send_signal(signal.SIGINT)
        self.assert_fails(self.finish(process), "interrupted by SIGINT")
        self.assertEqual(self.names(), ["fifo"])

    def test_two_simultaneous_signals_leave_no_file(self):
        process = self.start_slow_copy()
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(self.finish(process).returncode, 1)
        self.assertEqual(self.names(), ["fifo"])

    def test_existing_file_stays(self):
        old = write_random(self.path("b"), 1000)
        process = self.start_slow_copy()
        process.send_signal(signal.SIGINT)
        self.assert_fails(self.finish(process), "interrupted")
        self.assertEqual(self.names(), ["b", "fifo"])
        with open(self.path("b"), "rb") as file:
            self.assertEqual(file.read(), old)

    def test_while_waiting_for_the_writer_of_a_fifo(self):
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("copy", self.path("fifo"), self.path("b"))

        def waits():
            with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
                return file.read().startswith(f"{_OPENAT} ")

        self.wait_until(waits, "an open(2) that waits for the writer")
        process.send_signal(signal.SIGINT)
        self.assert_fails(self.finish(process), "interrupted by SIGINT")
        self.assertEqual(self.names(), ["fifo"])

    def test_stream_into_a_full_pipe(self):
        write_random(self.path("a"), 8 * MIB)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = self.start_moor("stream", self.path("a"), "--to", "stdout", stdout=writer)
        os.close(writer)
        self.assertEqual(len(os.read(reader, 10)), 10)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"interrupted by SIGTERM", errors)

    def test_progress_bar_is_cleared(self):
        terminal, side = pty.openpty()
        self.addCleanup(os.close, terminal)
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("copy", self.path("fifo"), self.path("b"), stderr=side)
        os.close(side)
        with open(self.path("fifo"), "wb") as writer:
            writer.write(b"x")
            writer.flush()
            seen = b""
            while b"byte" not in seen:
                seen += os.read(terminal, 1000)
            process.send_signal(signal.SIGINT)
            try:
                while True:
                    seen += os.read(terminal, 1000)
            except OSError:
                pass  # EIO: the other side is closed
        process.communicate(timeout=20)
        last_bar, _, after = seen.rpartition(b"\r\x1b[K")
        self.assertIn(b"1 byte", last_bar)
        self.assertTrue(after.startswith(b"moor: interrupted by SIGINT"), seen)


if __name__ == "__main__":
    unittest.main()
