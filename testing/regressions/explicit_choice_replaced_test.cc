// An option that was set explicitly to its default value was treated as not set, and was replaced.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class ExplicitChoiceReplaced : public RegressionTest {};

TEST_P(ExplicitChoiceReplaced, TheRingHasTheRequestedOptions) {
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 128;
  options.completion_count = 128;
  options.in_flight_max = 256;
  options.fixed_file_count = 3;
  const Ring ring = CreateRing(options);
  mooring_ring_info_t info{.struct_size = sizeof(info)};
  ASSERT_OK(mooring_ring_get_info(ring.get(), &info));
  EXPECT_EQ(info.submission_count, 128u);
  EXPECT_EQ(info.completion_count, 128u);
  EXPECT_EQ(info.in_flight_max, 256u);
  EXPECT_EQ(info.fixed_file_count, 3u);
}

TEST(ExplicitEngineReplaced, ThreadsEngineIsKeptAndItsReasonReported) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = MOORING_ENGINE_THREADS;
  mooring_ring_t* new_ring = nullptr;
  ASSERT_OK(mooring_ring_create(&options, &new_ring));
  const Ring ring(new_ring);
  mooring_ring_info_t info{.struct_size = sizeof(info)};
  ASSERT_OK(mooring_ring_get_info(new_ring, &info));
  EXPECT_EQ(info.engine, uint32_t{MOORING_ENGINE_THREADS});
  EXPECT_EQ(info.engine_reason, uint32_t{MOORING_ENGINE_REASON_POLICY});
}

ON_BOTH_ENGINES(ExplicitChoiceReplaced);

}  // namespace
}  // namespace mooring::conformance
