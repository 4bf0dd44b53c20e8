// The path for failed completions did not advance the head of the queue. The same failure was
// returned repeatedly, or the queue filled up.
#include <cerrno>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class FailedCompletionStays : public RegressionTest {};

TEST_P(FailedCompletionStays, EachFailureIsReapedOnceAndTheRingStillWorks) {
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 4;
  options.completion_count = 4;
  const Ring ring = CreateRing(options);
  char byte = 0;
  for (uint64_t i = 0; i < 64; ++i) {
    const auto completion = RunOne(ring, WithUserData(Read(-1, 0, AtAddress(&byte), 1), i));
    EXPECT_EQ(completion.user_data, i);
    EXPECT_EQ(completion.result, -EBADF);
  }
  EXPECT_EQ(RunOne(ring, Nop()).result, 0);
}

ON_BOTH_ENGINES(FailedCompletionStays);

}  // namespace
}  // namespace mooring::conformance
