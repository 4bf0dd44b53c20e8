// With more operations than the submission queue has entries, the operations that found it full
// were lost, or the submitter waited for space that only its own next call could free.
#include <set>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class SubmissionQueueFull : public RegressionTest {};

TEST_P(SubmissionQueueFull, EveryAcceptedOperationCompletes) {
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 4;
  options.in_flight_max = 64;
  const Ring ring = CreateRing(options);
  std::vector<mooring_op_t> operations;
  for (uint64_t i = 0; i < 64; ++i) operations.push_back(WithUserData(Nop(), i));
  Submit(ring, operations);
  std::set<uint64_t> seen;
  for (const mooring_completion_t& completion : Reap(ring, 64)) seen.insert(completion.user_data);
  EXPECT_EQ(seen.size(), 64u);
}

ON_BOTH_ENGINES(SubmissionQueueFull);

}  // namespace
}  // namespace mooring::conformance
