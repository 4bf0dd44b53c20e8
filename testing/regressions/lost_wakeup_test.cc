// A completion that arrived between the last check of a reaper and its sleep did not wake the
// reaper, and it continued to sleep.
//
// The window is some nanoseconds wide. In each round the completion arrives a little later after
// the previous reap. The delays repeat over the time that a reaper takes from one reap to its
// sleep.
#include <atomic>
#include <chrono>
#include <thread>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class LostWakeup : public RegressionTest {};

// Delay(kDelayMax) takes longer than the steps from one reap to the sleep of the next.
constexpr uint32_t kDelayMax = 256;
constexpr uint32_t kChecksMax = 2000;

void Delay(uint32_t turns) {
  std::atomic<uint32_t> turn = 0;
  while (turn.fetch_add(1, std::memory_order_relaxed) < turns) {
  }
}

TEST_P(LostWakeup, AReaperThatGoesToSleepIsAlwaysWoken) {
  constexpr uint32_t kRounds = 100 * kDelayMax;
  const Ring ring = CreateRing();
  std::atomic<uint32_t> reaped{0};
  std::thread reaper([&] {
    while (reaped < kRounds) {
      mooring_completion_t completion;
      uint32_t count = 0;
      const auto began = std::chrono::steady_clock::now();
      EXPECT_OK(mooring_ring_reap(ring.get(), &completion, 1, 1, kPatienceNs, &count));
      // At its timeout the reaper checks once more and returns the completion, so only the time
      // that it waited shows a lost wakeup.
      const auto slept = std::chrono::steady_clock::now() - began;
      EXPECT_LT(slept, std::chrono::nanoseconds(kPatienceNs))
          << "the completion did not wake the reaper";
      if (HasFailure()) break;
      reaped += count;
    }
    reaped = kRounds;
  });
  uint32_t submitted = 0;
  while (submitted < kRounds) {
    uint32_t accepted = 0;
    const mooring_op_t nop = Nop();
    EXPECT_OK(mooring_ring_submit(ring.get(), &nop, 1, &accepted));
    ++submitted;
    // This thread must not sleep, or the next completion is late. It yields after kChecksMax
    // checks, for machines with one processor.
    for (uint32_t check = 0; reaped < submitted; ++check) {
      if (check > kChecksMax) std::this_thread::yield();
    }
    Delay(submitted % kDelayMax);
  }
  reaper.join();
  EXPECT_EQ(Stats(ring).completed, kRounds);
}

ON_BOTH_ENGINES(LostWakeup);

}  // namespace
}  // namespace mooring::conformance
