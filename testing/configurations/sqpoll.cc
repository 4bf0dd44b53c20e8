// sqpoll: a kernel thread polls the submission queue.

#include <linux/io_uring.h>

#include "testing/support/configuration.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

std::string Missing() {
  const std::string missing = MissingForPinning();
  if (!missing.empty()) return missing;
  return ProbeRing(IORING_SETUP_SQPOLL) == 0 ? "" : "sqpoll";  // up to 5.12 it needs a capability
}

void Polled(mooring_ring_options_t* options) {
  options->flags |= MOORING_RING_SQPOLL;
  // The SQPOLL thread sleeps between the batches of most tests, so about half of them must wake it.
  options->sqpoll_idle_ms = 1;
}

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.ring_flags = MOORING_RING_SQPOLL;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "sqpoll",
    .missing = &Missing,
    .expect = &Expect,
    .ring_options = &Polled,
});

}  // namespace
}  // namespace mooring::conformance
