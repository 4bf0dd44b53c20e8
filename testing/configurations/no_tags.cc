// no_tags: the kernel does not report that it has released a slot, as before 5.13. No kernel has
// updates without tags, so a mask hides the feature flag.

#include <linux/io_uring.h>

#include "testing/support/configuration.h"
#include "testing/support/kernel_mask.h"

namespace mooring::conformance {
namespace {

void HideTags() { MaskKernel({.hidden_features = IORING_FEAT_RSRC_TAGS}); }

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities |= kNoTags;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "no_tags",
    .preparation = {.mask = &HideTags},
    .missing = &MissingForPinning,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
