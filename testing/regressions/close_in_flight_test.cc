// A shutdown dropped the operations in flight: they got no completion, and their memory was leaked
// or was used after it was freed. A ring created afterwards used the state that the previous one
// left.
#include <cerrno>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class CloseInFlight : public RegressionTest {};

TEST_P(CloseInFlight, EveryOperationCompletesAndTheNextRingWorks) {
  const Slab slab = CreateSlab();
  for (int round = 0; round < 3; ++round) {
    const Pipe pipe;
    const Ring ring = CreateRing();
    const Registration registration = Register(ring, slab);
    std::vector<mooring_op_t> reads;
    for (uint64_t i = 0; i < 8; ++i) {
      reads.push_back(ReadStream(pipe.read_fd(), InSlab(registration.get(), i * 4096), 512));
    }
    Submit(ring, reads);
    ASSERT_OK(mooring_ring_close(ring.get(), kPatienceNs));
    for (const mooring_completion_t& completion : Reap(ring, 8)) {
      EXPECT_EQ(completion.result, -ECANCELED);
    }
    EXPECT_EQ(Stats(ring).cancelled, 8u);
  }
  EXPECT_OK(mooring_slab_close(slab.get(), kPatienceNs));
}

ON_BOTH_ENGINES(CloseInFlight);

}  // namespace
}  // namespace mooring::conformance
