// A rejected operation completed: its submission queue entry was allocated before the operation was
// checked, and the entry was submitted with the next call.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class RefusedOperationCompletes : public RegressionTest {};

TEST_P(RefusedOperationCompletes, OnlyAcceptedOperationsComplete) {
  const Ring ring = CreateRing();
  mooring_op_t bad = WithUserData(Nop(), 2);
  bad.opcode = 999;
  const mooring_op_t operations[] = {WithUserData(Nop(), 1), bad, WithUserData(Nop(), 3)};
  uint32_t accepted = 0;
  EXPECT_REFUSED(mooring_ring_submit(ring.get(), operations, 3, &accepted),
                 MOORING_CODE_UNSUPPORTED, "opcode");
  ASSERT_EQ(accepted, 1u);
  EXPECT_EQ(Reap(ring, 1).front().user_data, 1u);
  EXPECT_EQ(RunOne(ring, WithUserData(Nop(), 4)).user_data, 4u);
  EXPECT_EQ(Stats(ring).submitted, 2u);
}

ON_BOTH_ENGINES(RefusedOperationCompletes);

}  // namespace
}  // namespace mooring::conformance
