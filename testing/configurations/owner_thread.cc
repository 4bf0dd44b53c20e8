// owner_thread: every ring belongs to one thread, which allows SINGLE_ISSUER and DEFER_TASKRUN.

#include <linux/io_uring.h>

#include "testing/support/configuration.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

std::string Missing() {
  const std::string missing = MissingForPinning();
  if (!missing.empty()) return missing;
  // The kernel has these flags from 6.1 on. Without them Mooring still enforces the owner thread,
  // but this configuration is for the kernel's flags.
  return ProbeRing(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0 ? ""
                                                                                 : "defer_taskrun";
}

void Owned(mooring_ring_options_t* options) { options->flags |= MOORING_RING_OWNER_THREAD; }

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.ring_flags = MOORING_RING_OWNER_THREAD;
  expectation.capabilities |= kOwnerThread;
  expectation.capabilities &= ~static_cast<uint32_t>(kAnyThread);
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "owner_thread",
    .missing = &Missing,
    .expect = &Expect,
    .ring_options = &Owned,
});

}  // namespace
}  // namespace mooring::conformance
