// whole_table: the kernel has only the oldest way to register memory, as before 5.13. The whole
// table is registered in one call, and again for each change, while nothing is in flight.

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

// Numbers, because old headers lack some of the names: IORING_REGISTER_BUFFERS2,
// IORING_REGISTER_BUFFERS_UPDATE and IORING_REGISTER_CLONE_BUFFERS.
constexpr int kRegisterBuffers2 = 15;
constexpr int kRegisterBuffersUpdate = 16;
constexpr int kRegisterCloneBuffers = 30;

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities &= ~static_cast<uint32_t>(kCloning);
  expectation.capabilities |= kNoCloning | kWholeTable;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "whole_table",
    .preparation = {.unknown_registrations = {kRegisterBuffers2, kRegisterBuffersUpdate,
                                              kRegisterCloneBuffers}},
    .missing = &MissingForPinning,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
