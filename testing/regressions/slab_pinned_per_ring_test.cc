// A slab on several rings was pinned, and charged to RLIMIT_MEMLOCK, once for each ring.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class SlabPinnedPerRing : public RegressionTest {};

TEST_P(SlabPinnedPerRing, TheSecondRingSharesThePins) {
  SKIP_WITHOUT((Features() & MOORING_FEATURE_CLONE_BUFFERS) != 0, "clone_buffers",
               "run Linux 6.13 or later");
  const Ring first = CreateRing();
  const Ring second = CreateRing();
  const Slab slab = CreateSlab();
  const Registration one = Register(first, slab, MOORING_POLICY_REQUIRE);
  const Registration two = Register(second, slab, MOORING_POLICY_REQUIRE);
  mooring_registration_info_t info{.struct_size = sizeof(info)};
  ASSERT_OK(mooring_registration_get_info(two.get(), &info));
  EXPECT_EQ(info.bytes_cloned, info.bytes_requested);
}

INSTANTIATE_TEST_SUITE_P(IoUring, SlabPinnedPerRing, ::testing::Values(MOORING_ENGINE_AUTO));

}  // namespace
}  // namespace mooring::conformance
