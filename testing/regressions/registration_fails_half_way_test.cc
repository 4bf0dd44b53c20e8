// A registration that failed at its second or last extent left the extents before it pinned, and no
// object recorded them.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class RegistrationFailsHalfWay : public RegressionTest {};

TEST_P(RegistrationFailsHalfWay, LeavesNoSlotInUseAndNoMemoryPinned) {
  SKIP_WITHOUT((Features() & MOORING_FEATURE_SPARSE_TABLE) != 0, "sparse_table",
               "run Linux 5.13 or later");
  mooring_ring_options_t options = RingOptions();
  options.fixed_buffer_count = 3;
  const Ring ring = CreateRing(options);
  mooring_registration_options_t registration_options = MOORING_REGISTRATION_OPTIONS_INIT;
  registration_options.policy = MOORING_POLICY_REQUIRE;
  registration_options.extent_bytes_max = 64 * 1024;
  const Slab four = CreateSlab(4);
  const Slab three = CreateSlab(3);
  for (int round = 0; round < 3; ++round) {
    mooring_registration_t* registration = nullptr;
    EXPECT_REFUSED(
        mooring_registration_create(ring.get(), four.get(), &registration_options, &registration),
        MOORING_CODE_EXHAUSTED);
    ASSERT_OK(
        mooring_registration_create(ring.get(), three.get(), &registration_options, &registration));
    mooring_registration_destroy(registration);
  }
  EXPECT_OK(mooring_slab_close(four.get(), kPatienceNs));
}

INSTANTIATE_TEST_SUITE_P(IoUring, RegistrationFailsHalfWay, ::testing::Values(MOORING_ENGINE_AUTO));

}  // namespace
}  // namespace mooring::conformance
