// Closing a ring left a reaper on another thread waiting until its own timeout. Close woke the
// reaper only while operations were in flight. The reaper then waited again for more completions
// than these, or it had waited with no operation in flight from the start. Close now wakes it in
// every case, after it marks the ring as closed.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/handles.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

class CloseLeftReaper : public ::testing::TestWithParam<mooring_engine_t> {};

TEST_P(CloseLeftReaper, ReapWithNothingInFlightReturns) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = GetParam();
  mooring_ring_t* new_ring = nullptr;
  ASSERT_OK(mooring_ring_create(&options, &new_ring));
  const Ring ring(new_ring);
  std::atomic<bool> starts{false};
  uint32_t count = 0;
  std::thread reaper([&] {
    starts = true;
    mooring_completion_t completion{};
    mooring_error_destroy(
        mooring_ring_reap(ring.get(), &completion, 1, 1, 2 * kPatienceNs, &count));
  });
  ASSERT_TRUE(Eventually([&] { return starts && RunningThreadCount() == 0; }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_OK(mooring_ring_close(ring.get(), kPatienceNs));
  reaper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience);
  EXPECT_EQ(count, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engines, CloseLeftReaper,
                         ::testing::Values(MOORING_ENGINE_AUTO, MOORING_ENGINE_THREADS));

}  // namespace
}  // namespace mooring::conformance
