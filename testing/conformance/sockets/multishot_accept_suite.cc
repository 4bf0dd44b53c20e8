// ACCEPT_MULTISHOT: one operation with many connections and one final completion.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

constexpr uint32_t kMore = MOORING_COMPLETION_MORE;

class MultishotAccept : public DataTest {
 protected:
  static Fd ConnectedTo(const TcpListener& listener) {
    Fd fd = TcpSocket();
    const auto* const address = reinterpret_cast<const sockaddr*>(&listener.address());
    EXPECT_EQ(connect(fd.get(), address, sizeof(sockaddr_in)), 0);
    return fd;
  }

  // Returns the descriptor of the next completion, which must be a connection.
  Fd NextConnection() {
    const mooring_completion_t completion = Reap(ring_, 1).front();
    EXPECT_GE(completion.result, 0);
    EXPECT_EQ(completion.flags, kMore);
    EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_NONE});
    EXPECT_EQ(completion.lease_generation, 0u);
    return Fd(static_cast<int>(completion.result));
  }

  void ExpectLast(int64_t result) {
    const mooring_completion_t completion = Reap(ring_, 1).front();
    EXPECT_EQ(completion.result, result);
    EXPECT_EQ(completion.flags, 0u);
    EXPECT_EQ(Stats(ring_).in_flight, 0u);
  }

  bool KernelHasMultishot() {
    return (Info(ring_).features & MOORING_FEATURE_ACCEPT_MULTISHOT) != 0;
  }
};

CONFORMANCE_TEST(MultishotAccept, ReturnsEveryConnectionUntilItIsCancelled, kAnywhere) {
  constexpr uint32_t kConnections = 5;
  const TcpListener listener;
  Submit(ring_, {WithUserData(AcceptMultishot(listener.fd(), SOCK_NONBLOCK), 7)});
  for (uint32_t i = 0; i < kConnections; ++i) {
    const Fd fd = ConnectedTo(listener);
    const Fd accepted = NextConnection();
    EXPECT_EQ(fcntl(accepted.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(FlagsOf(accepted.get()) & O_NONBLOCK, 0);
    WriteAll(fd.get(), Pattern(11, 0, 16));
    EXPECT_TRUE(Eventually([&] { return Unread(accepted.get()) == 16; }));
  }
  const mooring_ring_stats_t during = Stats(ring_);
  EXPECT_EQ(during.in_flight, 1u);
  EXPECT_EQ(during.completed, 0u);
  EXPECT_EQ(during.multishot_completed, kConnections);
  EXPECT_EQ(during.multishot_requests, KernelHasMultishot() ? 1u : kConnections + 1);
  uint32_t count = 0;
  EXPECT_OK(mooring_ring_cancel(ring_.get(), 7, &count));
  EXPECT_EQ(count, 1u);
  ExpectLast(-ECANCELED);
  EXPECT_EQ(Stats(ring_).completed, 1u);
}

CONFORMANCE_TEST(MultishotAccept, OneReapReturnsAllWaitingConnections, kAnywhere) {
  const TcpListener listener;
  std::vector<Fd> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(ConnectedTo(listener));
  Submit(ring_, {AcceptMultishot(listener.fd())});
  std::vector<Fd> accepted;
  for (const mooring_completion_t& completion : Reap(ring_, 8)) {
    EXPECT_EQ(completion.flags, kMore);
    accepted.emplace_back(static_cast<int>(completion.result));
    EXPECT_EQ(FlagsOf(accepted.back().get()) & O_NONBLOCK, 0);
  }
}

CONFORMANCE_TEST(MultishotAccept, ACancelOperationFindsIt, kAnywhere) {
  const TcpListener listener;
  Submit(ring_, {WithUserData(AcceptMultishot(listener.fd()), 7)});
  Submit(ring_, {WithUserData(Cancel(7), 8)});
  for (const mooring_completion_t& completion : Reap(ring_, 2)) {
    EXPECT_EQ(completion.result, completion.user_data == 8 ? 1 : -ECANCELED);
    EXPECT_EQ(completion.flags, 0u);
  }
}

CONFORMANCE_TEST(MultishotAccept, AnErrorEndsIt, kAnywhere) {
  const SocketPair pair = TcpPair();
  Submit(ring_, {AcceptMultishot(pair.one.get())});
  ExpectLast(-EINVAL);  // it does not listen
  const TempDir directory;
  const Fd file = directory.Create("file");
  Submit(ring_, {AcceptMultishot(file.get())});
  ExpectLast(-ENOTSOCK);
  EXPECT_EQ(Stats(ring_).failed, 2u);
}

CONFORMANCE_TEST(MultishotAccept, ClosingEndsItAndKeepsAcceptedConnections, kAnywhere) {
  const TcpListener listener;
  Submit(ring_, {AcceptMultishot(listener.fd())});
  const Fd peer = ConnectedTo(listener);
  const Fd accepted = NextConnection();
  EXPECT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  ExpectLast(-ECANCELED);
}

CONFORMANCE_TEST(MultishotAccept, ADestroyedRingClosesUnreapedConnections, kAnywhere) {
  TcpListener listener;
  const Fd peer = ConnectedTo(listener);
  Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  Submit(ring, {AcceptMultishot(listener.fd())});
  // Waits until the listener's queue is empty.
  pollfd poll = {.fd = listener.fd(), .events = POLLIN, .revents = 0};
  ASSERT_TRUE(Eventually([&] { return ::poll(&poll, 1, 0) == 0; }));
  ring.reset();
  EXPECT_TRUE(Eventually([&] {
    const Ring other = CreateRing();  // completes the destruction of the first
    char byte = 0;
    return recv(peer.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }));
}

CONFORMANCE_TEST(MultishotAccept, RefusesUnusedFields, kAnywhere) {
  const TcpListener listener;
  const auto refuse = [&](const std::vector<mooring_op_t>& operations, const char* words) {
    uint32_t accepted = 9;
    EXPECT_REFUSED(mooring_ring_submit(ring_.get(), operations.data(),
                                       static_cast<uint32_t>(operations.size()), &accepted),
                   MOORING_CODE_INVALID_ARGUMENT, words);
    EXPECT_EQ(accepted, 0u);
  };
  mooring_op_t accept = AcceptMultishot(listener.fd(), SOCK_CLOEXEC);
  refuse({accept}, "ACCEPT_MULTISHOT");
  accept = AcceptMultishot(listener.fd());
  accept.offset = 1;
  refuse({accept}, "ACCEPT_MULTISHOT");
  accept = AcceptMultishot(listener.fd());
  accept.registration = registration_.get();
  refuse({accept}, "ACCEPT_MULTISHOT");
  refuse({WithFlags(AcceptMultishot(listener.fd()), MOORING_OPERATION_DRAIN)}, "flag");
  refuse({WithFlags(Nop(), MOORING_OPERATION_LINK), AcceptMultishot(listener.fd())}, "chain");
  EXPECT_EQ(Stats(ring_).in_flight, 0u);
}

}  // namespace
}  // namespace mooring::conformance
