// Endings: peers that do not read, that reset or that close, and descriptors and rings that are
// closed with operations in flight.

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <set>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/require.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

std::atomic<int> broken_pipes{0};

class Endings : public DataTest {
 protected:
  // Counts SIGPIPE during its lifetime.
  class BrokenPipeCount {
   public:
    BrokenPipeCount() {
      broken_pipes = 0;
      struct sigaction action = {};
      action.sa_handler = [](int) { ++broken_pipes; };
      EXPECT_EQ(sigaction(SIGPIPE, &action, &before_), 0);
    }
    ~BrokenPipeCount() { sigaction(SIGPIPE, &before_, nullptr); }
    int value() const { return broken_pipes; }

   private:
    struct sigaction before_ = {};
  };

  // Returns when the submitted operations hold their descriptors. With an SQPOLL thread or workers
  // that is after submit returns.
  void WaitUntilHeld(int fd) {
    EXPECT_EQ(RunOne(ring_, Nop()).result, 0);
    if (CurrentExpectation().engine != MOORING_ENGINE_THREADS) return;
    EXPECT_TRUE(Eventually([&] { return DescriptorsOf(fd) > 1; }));
  }
};

// The thread sanitizer sees no order between a worker's last access to a descriptor, before it
// holds a duplicate, and a later close.
bool CanCloseInFlight() {
#if defined(__SANITIZE_THREAD__)
  return CurrentExpectation().engine != MOORING_ENGINE_THREADS;
#else
  return true;
#endif
}

CONFORMANCE_TEST(Endings, Rule3ClosingEndsSendsToAPeerThatDoesNotRead, kAnywhere) {
  constexpr uint32_t kSends = 64;
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family, 16 * 1024);
    Ring ring = CreateRing();
    Slab slab = CreateSlab();
    Registration registration = Register(ring, slab);
    const void* const data = Data(slab);
    const mooring_lease_t leases[] = {Acquire(slab), Acquire(slab)};
    std::vector<mooring_op_t> sends;
    for (uint32_t i = 0; i < kSends; ++i) {
      const Place place = InLease(registration.get(), leases[i % 2]);
      sends.push_back(WithUserData(
          Send(pair.one.get(), place, kBufferBytes, MSG_WAITALL, MOORING_SEND_COPY), i));
    }
    Submit(ring, sends);
    for (const mooring_lease_t& lease : leases) ASSERT_OK(mooring_slab_release(slab.get(), lease));
    EXPECT_EQ(Info(slab).held_count, 2u);
    ASSERT_OK(mooring_ring_close(ring.get(), kPatienceNs));
    std::set<uint64_t> seen;
    for (const mooring_completion_t& completion : Reap(ring, kSends)) {
      EXPECT_TRUE(seen.insert(completion.user_data).second) << "completed twice";
      const bool moved = completion.result > 0 && completion.path == MOORING_PATH_COPY;
      EXPECT_TRUE(moved || completion.result == -ECANCELED) << completion.result;
    }
    EXPECT_EQ(seen.size(), kSends);
    EXPECT_EQ(Info(slab).held_count, 0u);
    EXPECT_EQ(Info(slab).leased_count, 0u);
    ring.reset();
    registration.reset();
    slab.reset();
    ExpectUnmapped(data);
  }
}

CONFORMANCE_TEST(Endings, DestroyingARingWithSendsInFlightReleasesTheMemory, kAnywhere) {
  const SocketPair pair = TcpPair(16 * 1024);
  Ring ring = CreateRing();
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  const void* const data = Data(slab);
  const std::vector<mooring_op_t> sends(64, Send(pair.one.get(), InSlab(registration.get(), 0),
                                                 kBufferBytes, MSG_WAITALL, MOORING_SEND_COPY));
  Submit(ring, sends);
  ring.reset();
  registration.reset();
  slab.reset();
  ExpectUnmapped(data);
}

CONFORMANCE_TEST(Endings, AResetIsAnErrorWithoutASignal, kAnywhere) {
  const BrokenPipeCount signals;
  SocketPair pair = TcpPair();
  Submit(ring_, {Recv(pair.one.get(), At(0), 64)});
  ResetOnClose(pair.other.get());
  pair.other.Close();
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECONNRESET);
  EXPECT_EQ(RunOne(ring_, Send(pair.one.get(), At(0), 64)).result, -EPIPE);
  EXPECT_EQ(RunOne(ring_, Send(pair.one.get(), At(0), 64, MSG_WAITALL)).result, -EPIPE);
  EXPECT_EQ(signals.value(), 0);
}

CONFORMANCE_TEST(Endings, AClosedPeerIsABrokenPipeWithoutASignal, kAnywhere) {
  const BrokenPipeCount signals;
  SocketPair pair = UnixPair();
  pair.other.Close();
  EXPECT_EQ(RunOne(ring_, Send(pair.one.get(), At(0), 64)).result, -EPIPE);
  EXPECT_EQ(RunOne(ring_, Send(pair.one.get(), At(0), kBufferBytes, MSG_WAITALL)).result, -EPIPE);
  EXPECT_EQ(signals.value(), 0);
}

CONFORMANCE_TEST(Endings, Rule4AResetReportsThePartThatWasSent, kAnywhere) {
  const BrokenPipeCount signals;
  SocketPair pair = TcpPair(16 * 1024);
  Submit(ring_, {Send(pair.one.get(), At(0), kSlabBytes, MSG_WAITALL)});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
  EXPECT_EQ(ReadAll(pair.other.get(), 1000).size(), 1000u);
  ResetOnClose(pair.other.get());
  pair.other.Close();
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_GE(completion.result, 1000);
  EXPECT_LT(completion.result, static_cast<int64_t>(kSlabBytes));
  EXPECT_EQ(completion.flags, uint32_t{MOORING_COMPLETION_SHORT});
  const int64_t next = RunOne(ring_, Send(pair.one.get(), At(0), 64)).result;
  EXPECT_TRUE(next == -ECONNRESET || next == -EPIPE) << next;
  EXPECT_EQ(signals.value(), 0);
}

// The next result after the part is not defined: the kernel's retry has consumed the error (Linux
// 6.18 returns 0 next, as at end of file).
CONFORMANCE_TEST(Endings, Rule4AResetReportsThePartThatWasReceived, kAnywhere) {
  SocketPair pair = TcpPair();
  Submit(ring_, {Recv(pair.one.get(), At(0), 4096, MSG_WAITALL)});
  WriteAll(pair.other.get(), Pattern(52, 0, 1000));
  // With an owner thread, the kernel continues a receive only during the owner's calls.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    return Unread(pair.one.get()) == 0;
  }));
  ResetOnClose(pair.other.get());
  pair.other.Close();
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.result, 1000);
  EXPECT_EQ(completion.flags, uint32_t{MOORING_COMPLETION_SHORT});
  EXPECT_TRUE(HasPattern(data(), 52, 0, 1000));
}

CONFORMANCE_TEST(Endings, ADescriptorClosedInFlightIsHeldUntilTheCompletion, kAnywhere) {
  SKIP_WITHOUT(CanCloseInFlight(), "a close in flight", "run without the thread sanitizer");
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    SocketPair pair = StreamPair(family);
    Submit(ring_, {WithUserData(Recv(pair.one.get(), At(0), 64), 3)});
    WaitUntilHeld(pair.one.get());
    pair.one.Close();
    WriteAll(pair.other.get(), Pattern(51, 0, 64));
    EXPECT_EQ(Reap(ring_, 1).front().result, 64);
    EXPECT_TRUE(HasPattern(data(), 51, 0, 64));
    EXPECT_EQ(ReadAll(pair.other.get(), 1).size(), 0u) << "the socket is still open";
  }
}

CONFORMANCE_TEST(Endings, AListenerClosedInFlightStillAccepts, kAnywhere) {
  SKIP_WITHOUT(CanCloseInFlight(), "a close in flight", "run without the thread sanitizer");
  TcpListener listener;
  Submit(ring_, {WithUserData(Accept(listener.fd()), 6), WithUserData(Accept(listener.fd()), 6)});
  WaitUntilHeld(listener.fd());
  if (CurrentExpectation().engine == MOORING_ENGINE_THREADS) {
    ASSERT_TRUE(Eventually([&] { return DescriptorsOf(listener.fd()) > 2; }));
  }
  listener.Close();
  std::vector<Fd> connected;
  for (int i = 0; i < 2; ++i) {
    connected.push_back(TcpSocket());
    ASSERT_EQ(connect(connected.back().get(),
                      reinterpret_cast<const sockaddr*>(&listener.address()), sizeof(sockaddr_in)),
              0);
    const Fd accepted(static_cast<int>(Reap(ring_, 1).front().result));
    EXPECT_GE(accepted.get(), 0);
  }
  const Fd late = TcpSocket();
  EXPECT_EQ(RunOne(ring_, Connect(late.get(), &listener.address(), sizeof(sockaddr_in))).result,
            -ECONNREFUSED);
}

CONFORMANCE_TEST(Endings, Rule3ClosingARingCancelsEveryKindOfWait, kAnywhere) {
  const TcpListener listener;
  const SocketPair pair = TcpPair();
  Submit(ring_, {Accept(listener.fd()), Recv(pair.one.get(), At(0), 64), Poll(pair.one.get(), 1),
                 Recv(pair.other.get(), At(4096), 64, MSG_WAITALL)});
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  for (const mooring_completion_t& completion : Reap(ring_, 4)) {
    EXPECT_EQ(completion.result, -ECANCELED);
  }
  EXPECT_EQ(Stats(ring_).cancelled, 4u);
}

}  // namespace
}  // namespace mooring::conformance
