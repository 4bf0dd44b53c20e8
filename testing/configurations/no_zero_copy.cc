// no_zero_copy: the kernel has no zero-copy send and no newer operation, as before 6.0. Every send
// copies.

#include <linux/io_uring.h>

#include "testing/support/configuration.h"
#include "testing/support/kernel_mask.h"

namespace mooring::conformance {
namespace {

void HideZeroCopy() { MaskKernel({.opcode_count = IORING_OP_SEND_ZC}); }

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities &= ~static_cast<uint32_t>(kZeroCopy);
  expectation.capabilities |= kNoZeroCopy;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "no_zero_copy",
    .preparation = {.mask = &HideZeroCopy},
    .missing = &MissingForPinning,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
