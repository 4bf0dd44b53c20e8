// A thread that began after the owner of a ring with OWNER_THREAD had ended passed for the owner
// where it had got the same pthread_t, which glibc hands out again at once: on io_uring its
// operations were taken, and failed with EEXIST, and on the threads engine they were done. The
// owner is known by a token of its own now.
#include <pthread.h>

#include <thread>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

constexpr int kNewcomersMax = 1000;

class NewcomerTakenForOwner : public RegressionTest {};

TEST_P(NewcomerTakenForOwner, IsRefused) {
  mooring_ring_options_t options = RingOptions();
  options.flags = MOORING_RING_OWNER_THREAD;
  Ring ring;
  pthread_t owner = {};
  std::thread([&] {
    ring = CreateRing(options);
    owner = pthread_self();
  }).join();
  ASSERT_NE(ring, nullptr);

  bool same = false;
  const auto try_it = [&] {
    same = pthread_equal(owner, pthread_self()) != 0;
    if (!same) return;
    const mooring_op_t nop = Nop();
    uint32_t accepted = 7;
    EXPECT_REFUSED(mooring_ring_submit(ring.get(), &nop, 1, &accepted), MOORING_CODE_INVALID_STATE,
                   "owner");
    EXPECT_EQ(accepted, 0u);
    mooring_completion_t completion;
    uint32_t reaped = 7;
    EXPECT_REFUSED(mooring_ring_reap(ring.get(), &completion, 1, 0, 0, &reaped),
                   MOORING_CODE_INVALID_STATE, "owner");
  };
  for (int i = 0; i < kNewcomersMax && !same; ++i) std::thread(try_it).join();
  SKIP_WITHOUT(same, "pthread_t_again", "run with a C library that hands them out again");
  EXPECT_EQ(Stats(ring).submitted, 0u);
}

ON_BOTH_ENGINES(NewcomerTakenForOwner);

}  // namespace
}  // namespace mooring::conformance
