// ProvidedBuffers: RECV_MULTISHOT when the slab has no free buffer, and when buffers are released.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/multishot_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

constexpr uint32_t kFree = 4;

class ProvidedBuffers : public MultishotTest {
 protected:
  // Leases all but kFree buffers of the slab.
  void SetUp() override {
    MultishotTest::SetUp();
    if (HasFatalFailure()) return;
    rest_ = Acquire(slab_, static_cast<uint32_t>(Info(slab_).buffer_count) - kFree);
  }

  // Receives kFree messages, with more messages that wait for a buffer. Returns the kFree
  // completions.
  std::vector<mooring_completion_t> Exhaust(const Registration& registration,
                                            const SocketPair& pair) {
    for (uint32_t i = 0; i < kFree + 2; ++i) WriteAll(pair.other.get(), Pattern(i, 0, 100));
    Submit(ring_, {RecvMultishot(pair.one.get(), registration.get())});
    std::vector<mooring_completion_t> completions = Reap(ring_, kFree);
    for (uint32_t i = 0; i < kFree; ++i) ExpectBytes(completions[i], i, 100);
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    EXPECT_EQ(Stats(ring_).in_flight, 1u);
    return completions;
  }

  // A paused receiver receives one more message for each lease that `release` has released.
  template <typename Release>
  void ExpectToContinue(Release release) {
    for (const uint32_t provided : {0u, kFree}) {
      const Registration registration = RegisterProviding(provided);
      const SocketPair pair = UnixPair(SOCK_SEQPACKET);
      const std::vector<mooring_completion_t> completions = Exhaust(registration, pair);
      for (uint32_t i = 0; i < 2; ++i) {
        release([this, completion = completions[i]] { ReleaseLease(completion); });
        const mooring_completion_t next = Reap(ring_, 1).front();
        ExpectBytes(next, kFree + i, 100);
        ReleaseLease(next);
      }
      ReleaseLease(completions[2]);
      ReleaseLease(completions[3]);
      CancelAndExpectLast();
    }
  }

  // After the test's own releases, no buffer is leased.
  void ExpectNoLeases() {
    EXPECT_OK(mooring_slab_release(slab_.get(), rest_));
    EXPECT_TRUE(Eventually([&] {
      const Ring other = CreateRing();  // completes the destruction of the other
      return Info(slab_).leased_count == 0;
    }));
  }

  mooring_lease_t rest_ = {};
};

CONFORMANCE_TEST(ProvidedBuffers, TheReceiverPausesUntilALeaseIsReleased, kAnywhere) {
  ExpectToContinue([](auto release_lease) { release_lease(); });
}

CONFORMANCE_TEST(ProvidedBuffers, AReleaseOnAnyThreadWakesAWaitingReaper, kAnywhere) {
  std::vector<std::thread> threads;
  ExpectToContinue([&](auto release_lease) { threads.emplace_back(release_lease); });
  for (std::thread& thread : threads) thread.join();
}

CONFORMANCE_TEST(ProvidedBuffers, AReleasedLeaseMakesTheEventFdReadable, kAnywhere) {
  for (const uint32_t provided : {0u, kFree}) {
    const Registration registration = RegisterProviding(provided);
    const SocketPair pair = UnixPair(SOCK_SEQPACKET);
    int32_t event_fd = -1;
    ASSERT_OK(mooring_ring_event_fd(ring_.get(), &event_fd));
    const std::vector<mooring_completion_t> completions = Exhaust(registration, pair);
    // Resets the event fd: reads it until no event follows within kQuietNs.
    uint64_t ignored = 0;
    SetNonblocking(event_fd);
    while (read(event_fd, &ignored, sizeof ignored) > 0) ReapBriefly(ring_, 1);
    std::thread([&] { ReleaseLease(completions[0]); }).join();
    pollfd poll = {.fd = event_fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&poll, 1, static_cast<int>(kPatienceNs / 1'000'000)), 1);
    const mooring_completion_t first = Reap(ring_, 1).front();
    ExpectBytes(first, kFree, 100);
    for (uint32_t i = 1; i < kFree; ++i) ReleaseLease(completions[i]);
    const mooring_completion_t second = Reap(ring_, 1).front();
    ExpectBytes(second, kFree + 1, 100);
    CancelAndExpectLast();
    ReleaseLease(first);
    ReleaseLease(second);
  }
}

CONFORMANCE_TEST(ProvidedBuffers, APausedReceiverCanBeCancelled, kAnywhere) {
  for (const uint32_t provided : {0u, kFree}) {
    const Registration registration = RegisterProviding(provided);
    const SocketPair pair = UnixPair(SOCK_SEQPACKET);
    const std::vector<mooring_completion_t> completions = Exhaust(registration, pair);
    CancelAndExpectLast();
    for (const mooring_completion_t& completion : completions) ReleaseLease(completion);
  }
}

CONFORMANCE_TEST(ProvidedBuffers, AGrowResumesAPausedReceiver, kBasePages) {
  mooring_slab_options_t options = SlabOptions(2);
  options.buffer_count_max = 4;
  const Slab slab = CreateSlab(options);
  for (const uint32_t provided : {0u, 2u}) {
    mooring_registration_options_t wanted = RegistrationOptions(MOORING_POLICY_NEVER);
    wanted.provided_buffer_count = provided;
    const Registration registration = Register(ring_, slab, wanted);
    const mooring_lease_t all = Acquire(slab, provided == 0 ? 2 : 1);
    const SocketPair pair = UnixPair(SOCK_SEQPACKET);
    const uint32_t messages = provided + 1;
    for (uint32_t i = 0; i < messages; ++i) WriteAll(pair.other.get(), Pattern(i, 0, 100));
    Submit(ring_, {RecvMultishot(pair.one.get(), registration.get())});
    std::vector<mooring_completion_t> got;
    while (got.size() < provided) got.push_back(Reap(ring_, 1).front());
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    std::thread([&] { EXPECT_OK(mooring_slab_grow(slab.get(), 1)); }).join();
    while (got.size() < messages) got.push_back(Reap(ring_, 1).front());
    CancelAndExpectLast();
    for (const mooring_completion_t& completion : got)
      EXPECT_OK(mooring_slab_release(slab.get(), LeaseOf(completion)));
    EXPECT_OK(mooring_slab_release(slab.get(), all));
  }
}

CONFORMANCE_TEST(ProvidedBuffers, AClosedRingEndsReceiversWithAndWithoutABuffer, kAnywhere) {
  Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_NEVER);
  options.provided_buffer_count = 1;
  Registration registration = Register(ring, slab_, options);
  const SocketPair one = UnixPair(SOCK_SEQPACKET);
  const SocketPair other = UnixPair(SOCK_SEQPACKET);
  for (uint32_t i = 0; i < kFree + 1; ++i) WriteAll(one.other.get(), Pattern(i, 0, 100));
  Submit(ring, {RecvMultishot(one.one.get(), registration.get()),
                RecvMultishot(other.one.get(), registration.get())});
  ReleaseLease(Reap(ring, 1).front());
  EXPECT_OK(mooring_ring_close(ring.get(), kPatienceNs));
  uint32_t ended = 0;
  std::vector<mooring_completion_t> completions(1);
  for (uint32_t count = 1; ended < 2 && count == 1;) {
    ASSERT_OK(mooring_ring_reap(ring.get(), completions.data(), 1, 0, 0, &count));
    if (count == 0) break;
    if ((completions[0].flags & MOORING_COMPLETION_MORE) != 0) {
      ReleaseLease(completions[0]);
    } else {
      EXPECT_EQ(completions[0].result, -ECANCELED);
      ++ended;
    }
  }
  EXPECT_EQ(ended, 2u);
  registration.reset();
  ring.reset();
  ExpectNoLeases();
}

CONFORMANCE_TEST(ProvidedBuffers, ADestroyedRingReleasesUnreapedLeases, kAnywhere) {
  Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_NEVER);
  options.provided_buffer_count = 2;
  Registration registration = Register(ring, slab_, options);
  const SocketPair pair = UnixPair(SOCK_SEQPACKET);
  for (uint32_t i = 0; i < kFree; ++i) WriteAll(pair.other.get(), Pattern(i, 0, 100));
  Submit(ring, {RecvMultishot(pair.one.get(), registration.get())});
  registration.reset();
  ring.reset();
  ExpectNoLeases();
}

}  // namespace
}  // namespace mooring::conformance
