// no_clone: the kernel cannot clone slots, as before 6.13. Every ring pins the slab and is charged
// for it.

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

constexpr int kRegisterCloneBuffers = 30;  // IORING_REGISTER_CLONE_BUFFERS; old headers lack it

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
