// The eventfd of a ring was read once too often, or was not re-armed, so the next completion did
// not signal it.
#include <poll.h>
#include <unistd.h>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class EventFdSilent : public RegressionTest {};

TEST_P(EventFdSilent, EveryCompletionAfterAnEmptyReapSignalsIt) {
  const Ring ring = CreateRing();
  int fd = -1;
  ASSERT_OK(mooring_ring_event_fd(ring.get(), &fd));
  for (uint64_t round = 0; round < 50; ++round) {
    Submit(ring, {WithUserData(Timeout(1000), round)});
    uint32_t count = 0;
    while (count == 0) {
      pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
      ASSERT_EQ(poll(&entry, 1, static_cast<int>(kPatienceNs / 1'000'000)), 1) << "round " << round;
      uint64_t signals = 0;
      ASSERT_EQ(read(fd, &signals, sizeof(signals)), static_cast<ssize_t>(sizeof(signals)));
      mooring_completion_t completions[2];
      ASSERT_OK(mooring_ring_reap(ring.get(), completions, 2, 0, 0, &count));
    }
    EXPECT_EQ(count, 1u);
  }
}

ON_BOTH_ENGINES(EventFdSilent);

}  // namespace
}  // namespace mooring::conformance
