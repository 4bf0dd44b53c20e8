"""`moor stream --to tcp:...` and `moor receive`: together, and each with socat."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import unittest

from tools.moor.testing.files import MIB, read, write_random, xxh64
from tools.moor.testing.moor_test_case import DEADLINE_S, MoorTestCase

_LISTENING = b"moor: listening on "
_PIDFD_GETFD = 438  # pidfd_getfd(2), Linux 5.6
_TCP_SYN_SENT = 2  # <netinet/tcp.h>


class NetworkTestCase(MoorTestCase):
    def start_receive(self, *arguments, **options):
        """Starts `moor receive`; returns the process and the address that it prints."""
        process = self.start_moor("receive", *arguments, **options)
        line = process.stderr.readline()
        if not line.startswith(_LISTENING):
            self.fail(line + process.communicate(timeout=DEADLINE_S)[1])
        return process, line.removeprefix(_LISTENING).strip().decode()

    def finish(self, process):
        output, errors = process.communicate(timeout=DEADLINE_S)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def send(self, address, *arguments, **options):
        return self.run_moor("stream", *arguments, "--to", f"tcp:{address}", **options)

    def listen(self):
        """A listening socket in the test process, and its address."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.settimeout(DEADLINE_S)
        return listener, "127.0.0.1:%d" % listener.getsockname()[1]

    def connect(self, address):
        host, port = address.rsplit(":", 1)
        connection = socket.create_connection((host.strip("[]"), port), timeout=DEADLINE_S)
        self.addCleanup(connection.close)
        return connection


def reset(connection):
    """Closes with a reset, as a failing program does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def state_of(connection):
    """The field tcpi_state (tcp(7)), the first byte of TCP_INFO."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def sockets_of(pid):
    """The socket descriptors of another process."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                found.append(int(name))
    return found


def duplicate_socket(pid, fd):
    """Duplicates the socket `fd` of another process; None if a container forbids that."""
    pidfd = os.pidfd_open(pid)
    duplicate = ctypes.CDLL(None).syscall(_PIDFD_GETFD, pidfd, fd, 0)
    os.close(pidfd)
    return socket.socket(fileno=duplicate) if duplicate >= 0 else None


class NetworkTest(NetworkTestCase):
    def test_stream_to_receive_with_each_engine(self):
        data = write_random(self.path("a"), 9 * MIB + 17)
        for sender, receiver in (
            ([], []),
            (["--engine", "threads"], ["--engine", "threads"]),
            (["--slab-bytes", "64K"], ["--slab-bytes", "64K"]),
            (["--registration", "never"], []),
        ):
            with self.subTest(sender=sender, receiver=receiver):
                process, address = self.start_receive("--json", "0", self.path("b"), *receiver)
                sent = self.report(self.send(address, "--json", self.path("a"), *sender))
                received = self.report(self.finish(process))
                self.assertEqual(read(self.path("b")), data)
                self.assertEqual(sent["digest"], xxh64(data))
                self.assertEqual(received["digest"], sent["digest"])
                self.assertEqual(received["bytes"], len(data))
                operations = sent["operations"]
                self.assertGreater(operations["send"] + operations["send_zero_copy"], 0)
                self.assertEqual(operations["write"] + operations["write_fixed"], 0)
                operations = received["operations"]
                self.assertGreater(operations["receive"], 0)
                self.assertEqual(operations["read"] + operations["read_fixed"], 0)
                if received["registration"]["outcome"] == "fixed":
                    self.assertGreater(operations["write_fixed"], 0)
                    self.assertEqual(operations["write"], 0)
                os.unlink(self.path("b"))

    def test_several_files_in_order_and_an_empty_file(self):
        for sizes in ((100_000, 0, 2 * MIB + 1, 1), (0,)):
            names = [self.path(f"f{index}") for index in range(len(sizes))]
            data = b"".join(
                write_random(name, size, seed=index)
                for index, (name, size) in enumerate(zip(names, sizes))
            )
            process, address = self.start_receive("--force", "0", self.path("b"))
            self.assert_succeeds(self.send(address, *names))
            self.assertIn(b"received", self.assert_succeeds(self.finish(process)).stdout)
            self.assertEqual(read(self.path("b")), data)
            self.assertEqual(os.stat(self.path("b")).st_mode & 0o777, 0o666 & ~self.umask())

    def umask(self):
        mask = os.umask(0)
        os.umask(mask)
        return mask

    def test_to_standard_output(self):
        data = write_random(self.path("a"), 3 * MIB)
        process, address = self.start_receive("0", "-")
        # Both run at the same time: the sender ends only after the pipe has been read.
        sender = self.start_moor("stream", self.path("a"), "--to", f"tcp:{address}")
        result = self.assert_succeeds(self.finish(process))
        self.assert_succeeds(self.finish(sender))
        self.assertEqual(result.stdout, data)
        self.assertIn(b"received", result.stderr)

    def test_data_is_written_as_it_arrives(self):
        process, address = self.start_receive("0", "-")
        connection = self.connect(address)
        for data in (b"one", b"two", b"three"):
            connection.sendall(data)
            self.assertEqual(os.read(process.stdout.fileno(), 100), data)
        connection.close()
        self.assert_succeeds(self.finish(process))

    def test_over_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.require("ipv6", False)
        data = write_random(self.path("a"), MIB)
        process, address = self.start_receive("--bind", "::1", "0", self.path("b"))
        self.assertTrue(address.startswith("[::1]:"), address)
        self.assert_succeeds(self.send(address, self.path("a")))
        self.assert_succeeds(self.finish(process))
        self.assertEqual(read(self.path("b")), data)

    def test_socat_sends(self):
        self.require("socat", shutil.which("socat") is not None)
        data = write_random(self.path("a"), 5 * MIB + 3)
        process, address = self.start_receive("0", self.path("b"))
        subprocess.run(
            ["socat", "-u", "FILE:" + self.path("a"), "TCP:" + address],
            check=True,
            timeout=DEADLINE_S,
        )
        self.assert_succeeds(self.finish(process))
        self.assertEqual(read(self.path("b")), data)

    def test_socat_receives(self):
        self.require("socat", shutil.which("socat") is not None)
        data = write_random(self.path("a"), 5 * MIB + 3)
        socat = subprocess.Popen(
            ["socat", "-u", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "CREATE:" + self.path("b")],
            stderr=subprocess.PIPE,
        )
        self.addCleanup(socat.communicate)
        self.addCleanup(socat.kill)
        line = socat.stderr.readline().decode()
        self.assertIn("listening on", line)
        self.assert_succeeds(self.send(line.rsplit(" ", 1)[1].strip(), self.path("a")))
        socat.communicate(timeout=DEADLINE_S)
        self.assertEqual(read(self.path("b")), data)

    def test_peer_that_reads_late_gets_all_data(self):
        data = write_random(self.path("a"), 8 * MIB)
        listener, address = self.listen()
        process = self.start_moor("stream", self.path("a"), "--to", f"tcp:{address}")
        connection, _ = listener.accept()
        connection.sendall(b"unexpected")
        # The test reads nothing before the sender has filled all queues and waits.
        with connection.makefile("rb") as file:
            self.assertEqual(file.read(), data)
        self.assert_succeeds(self.finish(process))
        connection.close()

    def test_replaces_only_with_force(self):
        write_random(self.path("a"), 1000)
        write_random(self.path("b"), 10, seed=2)
        result = self.run_moor("receive", "0", self.path("b"))
        self.assert_fails(result, self.path("b"), "exists", "--force")
        process, address = self.start_receive("--force", "0", self.path("b"))
        self.assert_succeeds(self.send(address, self.path("a")))
        self.assert_succeeds(self.finish(process))
        self.assertEqual(read(self.path("b")), read(self.path("a")))


class NetworkFailureTest(NetworkTestCase):
    def assert_nothing_arrived(self, process, *words):
        result = self.finish(process)
        self.assert_fails(result, *words)
        self.assertNotIn("b", self.names())
        self.assertEqual([name for name in self.names() if name.startswith(".")], [])

    def test_file_created_during_the_transfer_stays(self):
        write_random(self.path("a"), 1000)
        process, address = self.start_receive("0", self.path("b"))
        data = write_random(self.path("b"), 10, seed=2)
        self.send(address, self.path("a"))
        self.assert_fails(self.finish(process), "exists", "--force")
        self.assertEqual(read(self.path("b")), data)
        self.assertEqual(self.names(), ["a", "b"])

    def test_sender_that_fails(self):
        process, address = self.start_receive("0", self.path("b"))
        connection = self.connect(address)
        connection.sendall(b"a part")
        reset(connection)
        self.assert_nothing_arrived(process, "Connection reset by peer")

    def test_sender_that_is_stopped_resets(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(number=number):
                process, address = self.start_receive("0", self.path("b"))
                sender = self.start_moor("stream", "/dev/zero", "--to", f"tcp:{address}", "-q")
                self.wait_until(lambda: any(n.startswith(".b") for n in self.names()), "a transfer")
                sender.send_signal(number)
                sender.communicate(timeout=DEADLINE_S)
                self.assert_nothing_arrived(process, "reset by peer")

    def test_sender_resets_even_before_it_is_connected(self):
        # The process may be killed immediately after connect(2): the close must be a reset.
        listener, address = self.listen()
        listener.listen(0)
        first = self.connect(address)  # the backlog is full: the next SYN gets no reply
        process = self.start_moor("stream", "/dev/zero", "--to", f"tcp:{address}")
        # A numeric address needs no socket for a DNS query, so there is only one socket.
        self.wait_until(lambda: sockets_of(process.pid), "a socket that connects")
        connecting = duplicate_socket(process.pid, sockets_of(process.pid)[0])
        self.require("pidfd_getfd", connecting is not None)
        with connecting:
            self.wait_until(lambda: state_of(connecting) == _TCP_SYN_SENT, "an attempt to connect")
            linger = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        self.assertEqual(struct.unpack("ii", linger), (1, 0))
        first.close()

    def test_receiver_that_resets(self):
        listener, address = self.listen()
        process = self.start_moor("stream", "/dev/zero", "--to", f"tcp:{address}")
        connection, _ = listener.accept()
        connection.recv(1000)
        reset(connection)
        self.assert_fails(self.finish(process), address, "reset by peer")

    def test_receiver_that_is_interrupted(self):
        process, address = self.start_receive("0", self.path("b"))
        process.send_signal(signal.SIGINT)
        self.assert_nothing_arrived(process, "interrupted by SIGINT")
        process, address = self.start_receive("0", self.path("b"))
        connection = self.connect(address)
        connection.sendall(b"a part")
        self.wait_until(lambda: any(n.startswith(".b") for n in self.names()), "a transfer")
        process.send_signal(signal.SIGTERM)
        self.assert_nothing_arrived(process, "interrupted by SIGTERM")
        with self.assertRaises(ConnectionResetError):
            while connection.recv(1000):
                pass

    def test_connection_is_refused(self):
        write_random(self.path("a"), 10)
        listener, address = self.listen()
        listener.close()
        self.assert_fails(self.send(address, self.path("a")), address, "refused", "moor receive")

    def test_host_without_address(self):
        write_random(self.path("a"), 10)
        self.assert_fails(self.send("nowhere.invalid:1", self.path("a")), "nowhere.invalid")

    def test_port_in_use(self):
        _, address = self.listen()
        result = self.run_moor("receive", address.rsplit(":", 1)[1], self.path("b"))
        self.assert_fails(result, address, "in use")

    def test_address_of_another_machine(self):
        # TEST-NET-1 (RFC 5737): no machine has this address.
        result = self.run_moor("receive", "--bind", "192.0.2.1", "0", self.path("b"))
        self.assert_fails(result, "192.0.2.1", "--bind")

    def test_destination_is_checked_first(self):
        for destination, word in (
            (self.folder, "is a directory"),
            (self.path("none/b"), "No such file"),
        ):
            self.assert_fails(self.run_moor("receive", "0", destination), word)

    def test_wrong_targets_are_wrong_usage(self):
        write_random(self.path("a"), 10)
        for target in ("tcp:", "tcp:host", "tcp:host:0", "tcp:::1:80", "udp:host:1"):
            result = self.run_moor("stream", self.path("a"), "--to", target)
            self.assert_fails(result, "tcp:HOST:PORT", status=2)
        for port in ("-1", "65536", "http", ""):
            self.assert_fails(self.run_moor("receive", port, self.path("b")), status=2)


if __name__ == "__main__":
    unittest.main()
