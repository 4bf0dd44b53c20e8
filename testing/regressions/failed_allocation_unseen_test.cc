// The check for a failed allocation compared with the wrong value, so the library used a result
// that was not memory.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

TEST(FailedAllocationUnseen, SlabThatCannotBeMappedIsAnError) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = uint64_t{1} << 40;
  options.buffer_count = uint64_t{1} << 16;  // 64 PiB, more than an address space
  options.touch = MOORING_TOUCH_NONE;
  mooring_slab_t* slab = nullptr;
  EXPECT_REFUSED(mooring_slab_create(&options, &slab), MOORING_CODE_EXHAUSTED);
  EXPECT_EQ(slab, nullptr);
}

}  // namespace
}  // namespace mooring::conformance
