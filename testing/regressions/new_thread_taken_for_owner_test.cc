// A thread that started after the owner of a ring with OWNER_THREAD had ended was accepted as the
// owner when it had the same pthread_t, which glibc reuses immediately. On io_uring its operations
// were accepted and failed with EEXIST; on the threads engine they were executed. The ring now
// identifies its owner by a token that is unique for each thread.
#include <pthread.h>

#include <thread>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

constexpr int kThreadsMax = 1000;

class NewThreadTakenForOwner : public RegressionTest {};

TEST_P(NewThreadTakenForOwner, IsRejected) {
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
  const auto use_ring_if_same = [&] {
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
  for (int i = 0; i < kThreadsMax && !same; ++i) std::thread(use_ring_if_same).join();
  SKIP_WITHOUT(same, "pthread_t_reuse", "run with a C library that reuses pthread_t values");
  EXPECT_EQ(Stats(ring).submitted, 0u);
}

ON_BOTH_ENGINES(NewThreadTakenForOwner);

}  // namespace
}  // namespace mooring::conformance
