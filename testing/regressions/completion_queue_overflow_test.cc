// Completions that did not fit in the completion queue stayed in the kernel, and a caller that
// waited for them waited indefinitely.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class CompletionQueueOverflow : public RegressionTest {};

TEST_P(CompletionQueueOverflow, EveryCompletionIsReaped) {
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 4;
  options.completion_count = 4;
  options.in_flight_max = 256;
  const Ring ring = CreateRing(options);
  for (uint64_t round = 0; round < 64; ++round) Submit(ring, std::vector<mooring_op_t>(4, Nop()));
  Reap(ring, 256);
  EXPECT_EQ(Stats(ring).in_flight, 0u);
}

ON_BOTH_ENGINES(CompletionQueueOverflow);

}  // namespace
}  // namespace mooring::conformance
