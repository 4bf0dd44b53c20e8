// An operation did not hold the memory that it used. When the caller released the memory early, the
// kernel wrote into memory that had another user by then.
#include "testing/regressions/regression_test.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

class MemoryNotHeldByOperation : public RegressionTest {};

TEST_P(MemoryNotHeldByOperation, MemoryStaysUntilTheCompletion) {
  const Ring ring = CreateRing();
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  const mooring_lease_t lease = Acquire(slab);
  const std::byte* const data = Data(slab) + lease.first_index * uint64_t{64 * 1024};
  const Pipe pipe;
  Submit(ring, {ReadStream(pipe.read_fd(), InLease(registration.get(), lease), 512)});
  EXPECT_OK(mooring_slab_release(slab.get(), lease));
  EXPECT_NE(Acquire(slab).first_index, lease.first_index) << "the lease was reused during the read";
  registration.reset();
  slab.reset();
  ASSERT_TRUE(IsMapped(data));
  const std::vector<std::byte> sent = Pattern(3, 0, 512);
  pipe.Write(sent.data(), sent.size());
  EXPECT_EQ(Reap(ring, 1).front().result, 512);
}

ON_BOTH_ENGINES(MemoryNotHeldByOperation);

}  // namespace
}  // namespace mooring::conformance
