"""The text report, the JSON report and the progress: docs/MOOR.md documents them."""

import json
import os
import pty
import unittest

from tools.moor.testing.files import MIB, write_random
from tools.moor.testing.moor_test_case import MoorTestCase

KEYS = {
    "bytes": int,
    "seconds": float,
    "digest": str,
    "engine": {"name": str, "reason": str, "remedy": str, "system_error": int},
    "registration": {
        "policy": str,
        "outcome": str,
        "reason": str,
        "remedy": str,
        "bytes_requested": int,
        "bytes_fixed": int,
        "memlock_soft_bytes": (int, type(None)),
        "system_error": int,
    },
    "operations": {
        "read": int,
        "read_fixed": int,
        "write": int,
        "write_fixed": int,
        "send": int,
        "send_zero_copy": int,
        "receive": int,
    },
    "direct": {"used": bool, "reason": str},
}

NAMES = {
    ("engine", "name"): {"io_uring", "threads"},
    ("engine", "reason"): {
        "none",
        "policy",
        "memlock_limit",
        "io_uring_denied",
        "io_uring_disabled",
        "io_uring_missing",
    },
    ("registration", "policy"): {"prefer", "require", "never"},
    ("registration", "outcome"): {"fixed", "partial", "copy"},
    ("registration", "reason"): {
        "none",
        "policy",
        "memlock_limit",
        "out_of_memory",
        "backing_refused",
        "table_full",
        "kernel_too_old",
        "register_denied",
        "engine_threads",
        "owner_thread",
    },
}


class JsonTest(MoorTestCase):
    def assert_shape(self, value, shape, where=""):
        if not isinstance(shape, dict):
            self.assertIsInstance(value, shape, where)
            return
        self.assertEqual(list(value), list(shape), where)
        for key, inner in shape.items():
            self.assert_shape(value[key], inner, f"{where}.{key}")

    def test_keys_and_names_of_every_command(self):
        write_random(self.path("a"), 100_000)
        for command in (
            ["copy", self.path("a"), self.path("b")],
            ["stream", self.path("a")],
            ["stream", self.path("a"), "--registration", "never"],
            ["stream", self.path("a"), "--engine", "threads"],
        ):
            result = self.run_moor(*command, "--json")
            report = self.report(result)
            self.assertEqual(result.stderr, b"")
            self.assert_shape(report, KEYS)
            for (section, key), names in NAMES.items():
                self.assertIn(report[section][key], names)
            self.assertRegex(report["digest"], "^[0-9a-f]{16}$")
            self.assertGreater(report["seconds"], 0)

    def test_digest_none_is_null(self):
        write_random(self.path("a"), 1000)
        report = self.report(self.run_moor("stream", self.path("a"), "--json", "--digest", "none"))
        self.assertIsNone(report["digest"])

    def test_json_is_printed_even_when_quiet(self):
        write_random(self.path("a"), 1000)
        self.report(self.run_moor("stream", self.path("a"), "--json", "--quiet"))

    def test_failure_prints_no_json(self):
        self.assert_fails(self.run_moor("stream", self.path("a"), "--json"))

    def test_failed_write_of_the_report_is_a_failure(self):
        write_random(self.path("a"), 1000)
        with open("/dev/full", "wb") as full:
            result = self.run_moor("copy", "--json", self.path("a"), self.path("b"), stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"cannot write the report", result.stderr)


class TextTest(MoorTestCase):
    def test_text_has_bytes_rate_engine_and_memory(self):
        write_random(self.path("a"), 3 * MIB)
        result = self.assert_succeeds(self.run_moor("copy", self.path("a"), self.path("b")))
        text = result.stdout.decode()
        self.assertRegex(text, r"^copied 3 MiB \(3,145,728 bytes\) in [0-9.]+ s, ")
        self.assertRegex(text, r"^copied .* s, [0-9.]+ [KMG]iB/s\n")
        for label in ("digest", "engine", "memory", "reads", "writes"):
            self.assertRegex(text, rf"(?m)^  {label} ")
        self.assertEqual(result.stderr, b"")

    def test_quiet_is_silent(self):
        write_random(self.path("a"), 1000)
        result = self.run_moor("copy", "-q", self.path("a"), self.path("b"))
        self.assert_succeeds(result)
        self.assertEqual(result.stdout + result.stderr, b"")

    def test_quiet_prints_errors(self):
        self.assert_fails(self.run_moor("copy", "-q", self.path("a"), self.path("b")))


class ProgressTest(MoorTestCase):
    def test_log_has_lines(self):
        """--progress if standard error is not a terminal."""
        os.mkfifo(self.path("fifo"))
        process = self.start_moor("stream", "--progress", self.path("fifo"))
        with open(self.path("fifo"), "wb", buffering=0) as writer:
            writer.write(b"12345")
            line = process.stderr.readline()
        process.communicate(timeout=60)
        self.assertRegex(line, rb"^5 bytes  [0-9.]+ bytes?/s\n$")

    def test_no_progress_on_a_terminal_with_options(self):
        for option in ("--no-progress", "--quiet"):
            terminal, side = pty.openpty()
            write_random(self.path("a"), MIB)
            result = self.run_moor(
                "stream", option, "--slab-bytes", "2K", self.path("a"), stderr=side
            )
            self.assertEqual(result.returncode, 0)
            os.close(side)
            os.set_blocking(terminal, False)
            with self.assertRaises(OSError):
                os.read(terminal, 1)
            os.close(terminal)

    def test_percentage_on_a_terminal(self):
        """The transfer is slow because the test reads the pipe slowly."""
        write_random(self.path("a"), 8 * MIB)
        terminal, side = pty.openpty()
        process = self.start_moor("stream", self.path("a"), "--to", "stdout", stderr=side)
        os.close(side)
        self.addCleanup(os.close, terminal)
        seen = b""
        while b"%" not in seen:
            seen += os.read(terminal, 1000)
        self.assertIn(b"[", seen)
        self.assertEqual(len(process.stdout.read()), 8 * MIB)
        process.wait(timeout=60)
        rest = os.read(terminal, 10_000)
        self.assertIn(b"\r\x1b[Kstreamed 8 MiB (8,388,608 bytes)", seen + rest)


if __name__ == "__main__":
    unittest.main()
