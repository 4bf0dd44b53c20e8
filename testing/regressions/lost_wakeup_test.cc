// A completion that came between a reaper's last look and its sleep woke nobody: the reaper slept on.
#include <atomic>
#include <thread>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class LostWakeup : public RegressionTest {};

TEST_P(LostWakeup, AReaperThatGoesToSleepIsAlwaysWoken) {
  constexpr uint32_t kRounds = 2000;
  const Ring ring = CreateRing();
  std::atomic<uint32_t> reaped{0};
  std::thread reaper([&] {
    while (reaped < kRounds) {
      mooring_completion_t completion;
      uint32_t count = 0;
      EXPECT_OK(mooring_ring_reap(ring.get(), &completion, 1, 1, kPatienceNs, &count));
      if (count == 0) break;
      reaped += count;
      reaped.notify_one();
    }
    reaped = kRounds;
    reaped.notify_one();
  });
  uint32_t submitted = 0;
  while (submitted < kRounds) {
    uint32_t accepted = 0;
    const mooring_op_t nop = Nop();
    EXPECT_OK(mooring_ring_submit(ring.get(), &nop, 1, &accepted));
    ++submitted;
    for (uint32_t seen = reaped; seen < submitted; seen = reaped) reaped.wait(seen);
  }
  reaper.join();
  EXPECT_EQ(Stats(ring).completed, kRounds) << "somebody slept through a completion";
}

ON_BOTH_ENGINES(LostWakeup);

}  // namespace
}  // namespace mooring::conformance
