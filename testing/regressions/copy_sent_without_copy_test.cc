// Memory that was not pinned was sent with zero copy. The kernel then pins it again for each send,
// charges RLIMIT_MEMLOCK, and fails when that budget is spent.
#include "testing/regressions/regression_test.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class CopySentWithoutCopy : public RegressionTest {};

TEST_P(CopySentWithoutCopy, UnpinnedMemoryIsCopiedOrRejected) {
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, MOORING_POLICY_NEVER);
  const SocketPair pair = TcpPair();
  const auto sent =
      RunOne(ring, Send(pair.one.get(), InSlab(registration.get(), 0), 64 * 1024, MSG_WAITALL));
  EXPECT_EQ(sent.result, 64 * 1024);
  EXPECT_EQ(sent.path, uint32_t{MOORING_PATH_COPY});
  EXPECT_EQ(Stats(ring).send_zero_copy + Stats(ring).send_copied, 0u);
  const mooring_op_t zero_copy =
      Send(pair.one.get(), InSlab(registration.get(), 0), 4096, 0, MOORING_SEND_ZERO_COPY);
  uint32_t accepted = 0;
  EXPECT_REFUSED(mooring_ring_submit(ring.get(), &zero_copy, 1, &accepted),
                 MOORING_CODE_UNSUPPORTED);
}

ON_BOTH_ENGINES(CopySentWithoutCopy);

}  // namespace
}  // namespace mooring::conformance
