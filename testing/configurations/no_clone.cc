// no_clone: the kernel cannot clone slots, as before 6.13: every ring pins, and is charged, for
// itself.

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

constexpr int kRegisterCloneBuffers = 30;  // IORING_REGISTER_CLONE_BUFFERS, which old headers lack

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities &= ~static_cast<uint32_t>(kCloning);
  expectation.capabilities |= kNoCloning;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "no_clone",
    .preparation = {.unknown_registrations = {kRegisterCloneBuffers}},
    .missing = &MissingForPinning,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
