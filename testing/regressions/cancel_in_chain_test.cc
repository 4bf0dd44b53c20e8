// A CANCEL at the end of a chain of links was accepted like any other operation. Its target was
// read from its size instead of its offset, so it never completed and the ring could not be closed.
// Submit now rejects it with a message that names CANCEL.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"

namespace mooring::conformance {
namespace {

TEST(CancelInChain, IsRejectedAndLeavesNothingInFlight) {
  mooring_ring_t* new_ring = nullptr;
  ASSERT_OK(mooring_ring_create(nullptr, &new_ring));
  const Ring ring(new_ring);
  const mooring_op_t chain[] = {WithFlags(Nop(), MOORING_OPERATION_LINK), Cancel(1)};
  uint32_t accepted = 7;
  EXPECT_REFUSED(mooring_ring_submit(ring.get(), chain, 2, &accepted),
                 MOORING_CODE_INVALID_ARGUMENT, "CANCEL");
  EXPECT_EQ(accepted, 0u);
  EXPECT_OK(mooring_ring_close(ring.get(), kPatienceNs));
}

}  // namespace
}  // namespace mooring::conformance
