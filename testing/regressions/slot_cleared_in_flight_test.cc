// A cleared slot was taken as proof that the kernel no longer uses its pages. With an operation in
// flight the update succeeds immediately, and the kernel continues to write.
#include "testing/regressions/regression_test.h"
#include "testing/support/mapped_memory.h"

namespace mooring::conformance {
namespace {

class SlotClearedInFlight : public RegressionTest {};

TEST_P(SlotClearedInFlight, SlabClosesOnlyAfterTheOperation) {
  const MappedMemory memory(64 * 1024);
  mooring_slab_t* new_slab = nullptr;
  ASSERT_OK(mooring_slab_adopt(memory.data(), memory.size(), nullptr, &new_slab));
  const Slab slab(new_slab);
  const Ring ring = CreateRing();
  Registration registration = Register(ring, slab);
  const Pipe pipe;
  Submit(ring, {ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), 512)});
  registration.reset();
  EXPECT_REFUSED(mooring_slab_close(new_slab, kQuietNs), MOORING_CODE_TIMEOUT);
  const std::vector<std::byte> sent = Pattern(4, 0, 512);
  pipe.Write(sent.data(), sent.size());
  EXPECT_EQ(Reap(ring, 1).front().result, 512);
  EXPECT_OK(mooring_slab_close(new_slab, kPatienceNs));
  EXPECT_TRUE(HasPattern(memory.data(), 4, 0, 512));
}

ON_BOTH_ENGINES(SlotClearedInFlight);

}  // namespace
}  // namespace mooring::conformance
