// RefusedSockets: descriptors that are not sockets, sockets of the wrong kind or state, and invalid
// arguments.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class RefusedSockets : public DataTest {
 protected:
  std::vector<mooring_op_t> AllOn(int fd) const {
    return {Send(fd, At(0), 64),
            Recv(fd, At(0), 64, 0),
            Send(fd, At(0), 64, MSG_WAITALL),
            Accept(fd),
            Connect(fd, &address_, sizeof address_),
            Shutdown(fd, SHUT_RDWR)};
  }
  void ExpectAll(int fd, int error) {
    const auto completions = Run(ring_, AllOn(fd));
    for (uint64_t i = 0; i < completions.size(); ++i) {
      EXPECT_EQ(completions[i].result, -error) << "operation " << i;
    }
  }
  mooring_error_t* Refuse(const mooring_op_t& operation) {
    uint32_t accepted = 7;
    mooring_error_t* error = mooring_ring_submit(ring_.get(), &operation, 1, &accepted);
    EXPECT_EQ(accepted, 0u);
    return error;
  }

  sockaddr_in address_ = {};
};

CONFORMANCE_TEST(RefusedSockets, DescriptorsThatAreNotSocketsFail, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data");
  const Pipe pipe;
  ExpectAll(file.get(), ENOTSOCK);
  ExpectAll(pipe.read_fd(), ENOTSOCK);
}

CONFORMANCE_TEST(RefusedSockets, DescriptorsThatAreNotOpenFail, kAnywhere) {
  ExpectAll(987'654, EBADF);
  EXPECT_EQ(RunOne(ring_, Poll(987'654, POLLIN)).result, -EBADF);
}

CONFORMANCE_TEST(RefusedSockets, SocketsThatAreNotConnectedFail, kAnywhere) {
  const Fd fd = TcpSocket();
  EXPECT_EQ(RunOne(ring_, Recv(fd.get(), At(0), 64)).result, -ENOTCONN);
  EXPECT_EQ(RunOne(ring_, Send(fd.get(), At(0), 64)).result, -EPIPE);
  EXPECT_EQ(RunOne(ring_, Shutdown(fd.get(), SHUT_WR)).result, -ENOTCONN);
  EXPECT_EQ(RunOne(ring_, Accept(fd.get())).result, -EINVAL) << "it does not listen";
  const SocketPair datagrams = UnixPair(SOCK_DGRAM);
  EXPECT_EQ(RunOne(ring_, Accept(datagrams.one.get())).result, -EOPNOTSUPP);
}

CONFORMANCE_TEST(RefusedSockets, AddressesThatAreNotMappedFail, kAnywhere) {
  auto* const nowhere = reinterpret_cast<void*>(uintptr_t{4096});
  const SocketPair pair = UnixPair();
  EXPECT_EQ(RunOne(ring_, Send(pair.one.get(), AtAddress(nowhere), 64)).result, -EFAULT);
  WriteAll(pair.other.get(), Pattern(71, 0, 64));
  EXPECT_EQ(RunOne(ring_, Recv(pair.one.get(), AtAddress(nowhere), 64)).result, -EFAULT);
  const Fd fd = TcpSocket();
  EXPECT_EQ(RunOne(ring_, Connect(fd.get(), nowhere, sizeof address_)).result, -EFAULT);
}

CONFORMANCE_TEST(RefusedSockets, FlagsThatAreUnknownOrUnsafeAreRefused, kAnywhere) {
  const SocketPair pair = UnixPair();
  const int fd = pair.one.get();
  const uint32_t code = MOORING_CODE_INVALID_ARGUMENT;
  // With this flag the kernel could read the memory after the completion (rule 1).
  EXPECT_REFUSED(Refuse(Send(fd, At(0), 64, MSG_ZEROCOPY)), code, "MSG_");
  EXPECT_REFUSED(Refuse(Send(fd, At(0), 64, MSG_PEEK)), code, "MSG_");
  EXPECT_REFUSED(Refuse(Recv(fd, At(0), 64, MSG_ERRQUEUE)), code, "MSG_");
  EXPECT_REFUSED(Refuse(Recv(fd, At(0), 64, MSG_PEEK | MSG_WAITALL)), code, "MSG_");
  EXPECT_REFUSED(Refuse(Send(fd, At(0), 64, 0, MOORING_SEND_COPY + 1)), code, "MOORING_SEND_");
  EXPECT_REFUSED(Refuse(Accept(fd, SOCK_CLOEXEC)), code, "SOCK_NONBLOCK");
  sockaddr peer;
  EXPECT_REFUSED(Refuse(Accept(fd, 0, &peer, nullptr)), code, "both");
  EXPECT_REFUSED(Refuse(Connect(fd, nullptr, sizeof address_)), code, "CONNECT");
  EXPECT_REFUSED(Refuse(Connect(fd, &address_, 129)), code, "128");
  EXPECT_REFUSED(Refuse(Shutdown(fd, 3)), code, "SHUT_RD");
  EXPECT_REFUSED(Refuse(Poll(fd, POLLNVAL)), code, "POLL");
  EXPECT_REFUSED(Refuse(Poll(fd, 1u << 31)), code, "POLL");
  EXPECT_REFUSED(Refuse(Send(fd, AtAddress(data()), MOORING_OPERATION_BYTES_MAX + 1)), code,
                 "MOORING_OPERATION_BYTES_MAX");
  mooring_op_t registered = Poll(fd, POLLIN);
  registered.registration = registration_.get();
  EXPECT_REFUSED(Refuse(registered), code, "registration");
  EXPECT_EQ(Stats(ring_).submitted, 0u);
}

}  // namespace
}  // namespace mooring::conformance
