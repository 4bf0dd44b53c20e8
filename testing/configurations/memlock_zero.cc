// memlock_zero: RLIMIT_MEMLOCK is 0, as strict containers set it.
//
// From Linux 6.14 to 7.0 the kernel charges the ring itself, so no ring can be created and the
// engine is threads. On older and newer kernels (measured, 7.3) there is a ring, but nothing can be
// pinned. In both cases every operation works.

#include <cerrno>

#include "testing/support/configuration.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

std::string Missing() {
  const int error = ProbeRing();
  return error == 0 || error == ENOMEM ? "" : "io_uring";
}

Expectation Expect() {
  Expectation expectation;
  if (ProbeRing() == ENOMEM) {
    expectation = ThreadsExpectation(MOORING_ENGINE_REASON_MEMLOCK_LIMIT, ENOMEM);
    expectation.named_io_uring_code = MOORING_CODE_MEMLOCK_LIMIT;
    expectation.capabilities |= kFallenBack;
  } else {
    expectation.outcome = MOORING_OUTCOME_COPY;
    expectation.reason = MOORING_REASON_MEMLOCK_LIMIT;
    expectation.capabilities = kIoUring | kAnyThread | kBasePages;
  }
  expectation.capabilities |= kNoMemlock;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "memlock_zero",
    .preparation = {.limits_memlock = true, .memlock_is_final = true, .memlock_bytes = 0},
    .missing = &Missing,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
