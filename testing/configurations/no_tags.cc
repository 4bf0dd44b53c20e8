// no_tags: the kernel does not tell when it let go of a slot, as before 5.13. No kernel has updates and no tags, so the
// linker puts a function before io_uring_setup(2) that hides the feature's bit; see BUILD.bazel.

#include <linux/io_uring.h>

#include "testing/support/configuration.h"

extern "C" {

int __real_io_uring_setup(unsigned entries, io_uring_params* params);
int __wrap_io_uring_setup(unsigned entries, io_uring_params* params);

int __wrap_io_uring_setup(unsigned entries, io_uring_params* params) {
  const int result = __real_io_uring_setup(entries, params);
  params->features &= ~static_cast<unsigned>(IORING_FEAT_RSRC_TAGS);
  return result;
}

}  // extern "C"

namespace mooring::conformance {
namespace {

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities |= kNoTags;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "no_tags",
    .missing = &MissingForPinning,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
