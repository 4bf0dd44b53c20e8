// Connections: accept, connect and shutdown. They do not change the caller's descriptors.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class Connections : public DataTest {
 protected:
  static mooring_op_t ConnectTo(int fd, const sockaddr_in& address) {
    return Connect(fd, &address, sizeof address);
  }

  static timeval SendTimeoutOf(int fd) {
    timeval timeout = {};
    socklen_t size = sizeof timeout;
    EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size), 0);
    return timeout;
  }

  static void ExpectConnected(int one, int other) {
    WriteAll(one, Pattern(41, 0, 16));
    EXPECT_EQ(ReadAll(other, 16), Pattern(41, 0, 16));
  }

  // Takes every place in a listener's queue, so that a further connect waits.
  static std::vector<Fd> Fill(const TcpListener& listener) {
    std::vector<Fd> fds;
    for (;;) {
      Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const auto* const address = reinterpret_cast<const sockaddr*>(&listener.address());
      EXPECT_EQ(connect(fd.get(), address, sizeof(sockaddr_in)), -1);
      EXPECT_EQ(errno, EINPROGRESS);
      pollfd poll = {.fd = fd.get(), .events = POLLOUT, .revents = 0};
      fds.push_back(std::move(fd));
      // On the loopback device a handshake is complete before connect returns, or its next try is a
      // second later.
      if (::poll(&poll, 1, 0) == 0) return fds;
    }
  }
};

CONFORMANCE_TEST(Connections, AcceptReturnsACloseOnExecDescriptor, kAnywhere) {
  const TcpListener listener;
  const Fd first = TcpSocket();
  const Fd second = TcpSocket();
  // In sequence, because the first connection is the first to be accepted.
  const mooring_completion_t completion = RunOne(ring_, ConnectTo(first.get(), listener.address()));
  EXPECT_EQ(completion.result, 0);
  EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_NONE});
  EXPECT_EQ(RunOne(ring_, ConnectTo(second.get(), listener.address())).result, 0);
  const mooring_completion_t plain = RunOne(ring_, Accept(listener.fd()));
  const mooring_completion_t nonblocking = RunOne(ring_, Accept(listener.fd(), SOCK_NONBLOCK));
  const Fd one(static_cast<int>(plain.result));
  const Fd other(static_cast<int>(nonblocking.result));
  EXPECT_EQ(plain.path, uint32_t{MOORING_PATH_NONE});
  EXPECT_EQ(fcntl(one.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(other.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(FlagsOf(one.get()) & O_NONBLOCK, 0);
  EXPECT_NE(FlagsOf(other.get()) & O_NONBLOCK, 0);
  ExpectConnected(first.get(), one.get());
}

CONFORMANCE_TEST(Connections, AcceptReturnsThePeersAddress, kAnywhere) {
  const TcpListener listener;
  const Fd fd = TcpSocket();
  sockaddr_in peer = {};
  socklen_t peer_bytes = sizeof peer;
  const auto completions =
      Run(ring_, {Accept(listener.fd(), 0, reinterpret_cast<sockaddr*>(&peer), &peer_bytes),
                  ConnectTo(fd.get(), listener.address())});
  const Fd accepted(static_cast<int>(completions[0].result));
  ExpectConnected(fd.get(), accepted.get());
  sockaddr_in own = {};
  socklen_t own_bytes = sizeof own;
  ASSERT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_bytes), 0);
  EXPECT_EQ(peer_bytes, own_bytes);
  EXPECT_EQ(peer.sin_family, AF_INET);
  EXPECT_EQ(peer.sin_port, own.sin_port);
  EXPECT_EQ(peer.sin_addr.s_addr, own.sin_addr.s_addr);
}

CONFORMANCE_TEST(Connections, ManyAcceptsShareAListener, kAnywhere) {
  constexpr uint32_t kCount = 8;
  for (const bool nonblocking : {false, true}) {
    SCOPED_TRACE(nonblocking ? "O_NONBLOCK" : "blocking");
    const TcpListener listener;
    if (nonblocking) SetNonblocking(listener.fd());
    const int flags = FlagsOf(listener.fd());
    std::vector<mooring_op_t> accepts(kCount, Accept(listener.fd()));
    Submit(ring_, accepts);
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    EXPECT_EQ(FlagsOf(listener.fd()), flags) << "a waiting accept changed the listener's flags";
    std::vector<Fd> connected;
    std::set<int> accepted;
    for (uint32_t i = 0; i < kCount; ++i) {
      connected.push_back(TcpSocket());
      ASSERT_EQ(
          connect(connected.back().get(), reinterpret_cast<const sockaddr*>(&listener.address()),
                  sizeof(sockaddr_in)),
          0);
      const Fd fd(static_cast<int>(Reap(ring_, 1).front().result));
      ExpectConnected(connected.back().get(), fd.get());
    }
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    EXPECT_EQ(FlagsOf(listener.fd()), flags);
  }
}

CONFORMANCE_TEST(Connections, ACancelledAcceptLeavesTheListenerWorking, kAnywhere) {
  const TcpListener listener;
  Submit(ring_, {WithUserData(Accept(listener.fd()), 5), WithUserData(Accept(listener.fd()), 5)});
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 5, &count));
  EXPECT_EQ(count, 2u);
  for (const mooring_completion_t& completion : Reap(ring_, 2)) {
    EXPECT_EQ(completion.result, -ECANCELED);
  }
  const Fd fd = TcpSocket();
  const auto completions =
      Run(ring_, {Accept(listener.fd()), ConnectTo(fd.get(), listener.address())});
  const Fd accepted(static_cast<int>(completions[0].result));
  ExpectConnected(accepted.get(), fd.get());
}

CONFORMANCE_TEST(Connections, ConnectDoesNotChangeTheCallersOptions, kAnywhere) {
  const TcpListener listener;
  for (const bool nonblocking : {false, true}) {
    SCOPED_TRACE(nonblocking ? "O_NONBLOCK" : "blocking");
    const Fd fd = TcpSocket();
    const timeval timeout = {.tv_sec = 7, .tv_usec = 0};
    ASSERT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout), 0);
    if (nonblocking) SetNonblocking(fd.get());
    const int flags = FlagsOf(fd.get());
    EXPECT_EQ(RunOne(ring_, ConnectTo(fd.get(), listener.address())).result, 0);
    EXPECT_EQ(FlagsOf(fd.get()), flags);
    EXPECT_EQ(SendTimeoutOf(fd.get()).tv_sec, 7);
    EXPECT_EQ(RunOne(ring_, ConnectTo(fd.get(), listener.address())).result, -EISCONN);
  }
}

CONFORMANCE_TEST(Connections, WithoutAListenerAreRefused, kAnywhere) {
  sockaddr_in unused_address;
  const Fd bound = BoundTcpSocket(&unused_address);
  for (const bool nonblocking : {false, true}) {
    SCOPED_TRACE(nonblocking ? "O_NONBLOCK" : "blocking");
    const Fd fd = TcpSocket();
    if (nonblocking) SetNonblocking(fd.get());
    EXPECT_EQ(RunOne(ring_, ConnectTo(fd.get(), unused_address)).result, -ECONNREFUSED);
  }
}

CONFORMANCE_TEST(Connections, InProgressAreCompletedOrCancelled, kAnywhere) {
  const TcpListener listener(0);
  const std::vector<Fd> others = Fill(listener);
  const Fd cancelled = TcpSocket();
  const Fd completed = TcpSocket();
  Submit(ring_, {WithUserData(ConnectTo(cancelled.get(), listener.address()), 1),
                 WithUserData(ConnectTo(completed.get(), listener.address()), 2)});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "the listener has no room";
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 1, &count));
  const mooring_completion_t first = Reap(ring_, 1).front();
  EXPECT_EQ(first.user_data, 1u);
  EXPECT_EQ(first.result, -ECANCELED);
  EXPECT_EQ(FlagsOf(completed.get()) & O_NONBLOCK, 0);
  // During a try, for one tick, the threads engine sets a send timeout on the socket.
  EXPECT_TRUE(Eventually([&] { return SendTimeoutOf(completed.get()).tv_usec == 0; }));

  // Its next try, a second after the first, finds a free place.
  std::vector<Fd> accepted;
  SetNonblocking(listener.fd());
  mooring_completion_t second = {};
  ASSERT_TRUE(Eventually([&] {
    const int fd = accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) accepted.emplace_back(fd);
    const auto completions = ReapBriefly(ring_, 1);
    if (!completions.empty()) second = completions.front();
    return !completions.empty();
  }));
  EXPECT_EQ(second.user_data, 2u);
  EXPECT_EQ(second.result, 0);
  EXPECT_EQ(SendTimeoutOf(completed.get()).tv_usec, 0);
}

CONFORMANCE_TEST(Connections, OverUnixSocketsWaitForRoomInTheQueue, kAnywhere) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Without a name the kernel chooses an abstract one (unix(7)).
  ASSERT_EQ(bind(listener.get(), generic, sizeof address.sun_family), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(listener.get(), generic, &size), 0);
  const Fd first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(RunOne(ring_, Connect(first.get(), &address, size)).result, 0);
  const Fd second(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Submit(ring_, {WithUserData(Connect(second.get(), &address, size), 2)});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "the queue of the listener is full";
  const Fd one(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(Reap(ring_, 1).front().result, 0);
  const Fd two(accept(listener.get(), nullptr, nullptr));
  ExpectConnected(second.get(), two.get());
}

CONFORMANCE_TEST(Connections, ShutdownEndsAWaitingReceive, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    Submit(ring_, {WithUserData(Recv(pair.one.get(), At(0), 64), 1)});
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    Submit(ring_, {WithUserData(Shutdown(pair.one.get(), SHUT_RD), 2)});
    for (const mooring_completion_t& completion : Reap(ring_, 2)) {
      EXPECT_EQ(completion.result, 0);
      const bool is_receive = completion.user_data == 1;
      EXPECT_EQ((completion.flags & MOORING_COMPLETION_END_OF_FILE) != 0, is_receive);
    }
  }
}

CONFORMANCE_TEST(Connections, ShutdownAfterASendEndsThePeersStream, kAnywhere) {
  const SocketPair pair = TcpPair();
  FillPattern(data(), 42, 0, 100);
  const auto completions =
      Run(ring_, {WithFlags(Send(pair.one.get(), At(0), 100), MOORING_OPERATION_LINK),
                  Shutdown(pair.one.get(), SHUT_WR)});
  EXPECT_EQ(completions[0].result, 100);
  EXPECT_EQ(completions[1].result, 0);
  EXPECT_EQ(ReadAll(pair.other.get(), 4096), Pattern(42, 0, 100));
  // The other direction stays open.
  WriteAll(pair.other.get(), Pattern(43, 0, 10));
  EXPECT_EQ(RunOne(ring_, Recv(pair.one.get(), At(0), 10)).result, 10);
}

}  // namespace
}  // namespace mooring::conformance
