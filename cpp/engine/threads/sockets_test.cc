// Socket requests on a machine without a free descriptor for the watch. testing/conformance/sockets
// has the cases that all machines show.

#include "cpp/engine/threads/sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <functional>
#include <thread>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

using Step = Outcome::Step;

Request OnSocket(Opcode opcode, int fd, void* data, uint64_t size, uint64_t parameter = 0) {
  return {.opcode = opcode, .fd = fd, .address = data, .size64 = size, .parameter = parameter};
}

// Executes a request as a worker does if it cannot be watched. Runs `act` when the worker waits.
Outcome Blocking(const Request& request, const std::function<void()>& act) {
  Outcome outcome;
  const uint32_t before = ThreadsWithin(SYS_poll);
  std::thread worker([&] {
    Attempt attempt = Attempt::kBlocking;
    uint32_t moved_bytes = 0;
    outcome = ExecuteSocket(request, request.fd, attempt, moved_bytes);
  });
  EXPECT_TRUE(Eventually([&] { return ThreadsWithin(SYS_poll) > before; }));
  act();
  worker.join();
  return outcome;
}

sockaddr_in ListenOn(const UniqueFd& listener, int backlog) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener.get(), generic, size), 0);
  EXPECT_EQ(listen(listener.get(), backlog), 0);
  EXPECT_EQ(getsockname(listener.get(), generic, &size), 0);
  return address;
}

UniqueFd NewTcpSocket() { return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

TEST(ThreadsSockets, ADescriptorThatCannotBeWatchedBlocksItsWorker) {
  const SocketPair ends;
  char data[8] = {};
  const auto write_some = [&] { EXPECT_EQ(send(ends.other.get(), "abcd", 4, 0), 4); };
  EXPECT_EQ(Blocking(OnSocket(Opcode::kRecv, ends.one.get(), data, 8), write_some).result, 4);
  const Request poll = OnSocket(Opcode::kPoll, ends.one.get(), nullptr, 0, POLLIN);
  EXPECT_EQ(Blocking(poll, write_some).result, POLLIN);
}

TEST(ThreadsSockets, AnAcceptThatCannotBeWatchedBlocksItsWorker) {
  const UniqueFd listener = NewTcpSocket();
  const sockaddr_in address = ListenOn(listener, 4);
  const UniqueFd peer = NewTcpSocket();
  const Outcome outcome = Blocking(OnSocket(Opcode::kAccept, listener.get(), nullptr, 0), [&] {
    EXPECT_EQ(connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  });
  const UniqueFd accepted(outcome.result);
  EXPECT_TRUE(accepted.valid());
}

TEST(ThreadsSockets, AnAcceptOnABlockingListenerIsWatchedBeforeItIsPolled) {
  const UniqueFd listener = NewTcpSocket();
  const sockaddr_in address = ListenOn(listener, 4);
  const Request accept = OnSocket(Opcode::kAccept, listener.get(), nullptr, 0);
  Attempt attempt = Attempt::kFirst;
  uint32_t moved_bytes = 0;
  EXPECT_EQ(ExecuteSocket(accept, listener.get(), attempt, moved_bytes).step, Step::kNotReady);
  EXPECT_EQ(ExecuteSocket(accept, listener.get(), attempt, moved_bytes).step,
            Step::kNeedsExclusivePoll);
  // After a wake without a connection it must not wait in accept(2).
  EXPECT_EQ(ExecuteSocket(accept, listener.get(), attempt, moved_bytes).step, Step::kNotReady);
  const UniqueFd peer = NewTcpSocket();
  ASSERT_EQ(connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const UniqueFd accepted(ExecuteSocket(accept, listener.get(), attempt, moved_bytes).result);
  EXPECT_TRUE(accepted.valid());
}

TEST(ThreadsSockets, ConnectsOfOneSocketNeedTheExclusivePoll) {
  const UniqueFd listener = NewTcpSocket();
  sockaddr_in address = ListenOn(listener, 4);
  const UniqueFd fd = NewTcpSocket();
  const Request request = OnSocket(Opcode::kConnect, fd.get(), &address, sizeof(address));
  Attempt attempt = Attempt::kFirst;
  uint32_t moved_bytes = 0;
  EXPECT_EQ(ExecuteSocket(request, fd.get(), attempt, moved_bytes).step, Step::kNeedsExclusivePoll);
  EXPECT_EQ(ExecuteSocket(request, fd.get(), attempt, moved_bytes).result, 0);
  EXPECT_EQ(ExecuteSocket(request, fd.get(), attempt, moved_bytes).result, -EISCONN);
  // If this connect was started before, it has succeeded now.
  attempt = Attempt::kConnecting;
  EXPECT_EQ(ExecuteSocket(request, fd.get(), attempt, moved_bytes).result, 0);
}

TEST(ThreadsSockets, AnUnknownOpcodeGivesEinval) {
  Attempt attempt = Attempt::kFirst;
  uint32_t moved_bytes = 0;
  EXPECT_EQ(ExecuteSocket({.opcode = Opcode::kRead}, -1, attempt, moved_bytes).result, -EINVAL);
}

}  // namespace
}  // namespace mooring
