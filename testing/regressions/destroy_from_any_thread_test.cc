// When a thread other than the owner of a ring destroyed a registration, the program aborted: on a
// ring with a single issuer, the kernel lets only the owner change the table.
#include <thread>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class DestroyFromAnyThread : public RegressionTest {};

TEST_P(DestroyFromAnyThread, RegistrationSlotIsFreeForTheOwner) {
  mooring_ring_options_t options = RingOptions();
  options.flags = MOORING_RING_OWNER_THREAD;
  options.fixed_buffer_count = 1;
  const Ring ring = CreateRing(options);
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  std::thread([&] { registration.reset(); }).join();
  EXPECT_EQ(RunOne(ring, Nop()).result, 0);
  const bool has_slots = (Features() & MOORING_FEATURE_SPARSE_TABLE) != 0;
  registration = Register(ring, slab, has_slots ? MOORING_POLICY_REQUIRE : MOORING_POLICY_PREFER);
  EXPECT_NE(registration, nullptr) << "the only slot is still taken";
}

TEST_P(DestroyFromAnyThread, RingIsDestroyed) {
  mooring_ring_options_t options = RingOptions();
  options.flags = MOORING_RING_OWNER_THREAD;
  Ring ring = CreateRing(options);
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  std::thread([&] { ring.reset(); }).join();
}

ON_BOTH_ENGINES(DestroyFromAnyThread);

}  // namespace
}  // namespace mooring::conformance
