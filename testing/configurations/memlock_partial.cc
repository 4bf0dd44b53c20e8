// memlock_partial: RLIMIT_MEMLOCK has room for the ring and a part of the slab. The hard limit is
// higher, so a promote can pin the rest.

#include <sys/resource.h>

#include "testing/support/configuration.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBudgetBytes = 640 * 1024;

std::string Missing() {
  if (ProbeRing() != 0) return "io_uring";
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  // Promotion needs the slab and a ring within the hard limit.
  if (limit.rlim_max < limit.rlim_cur + 2 * kSlabBytes) return "memlock";
  return ProbePin(kBudgetBytes / 2) == 0 ? "" : "memlock";
}

Expectation Expect() {
  return {
      .outcome = MOORING_OUTCOME_PARTIAL,
      .reason = MOORING_REASON_MEMLOCK_LIMIT,
      .capabilities = kIoUring | kPartial | kAnyThread | kBasePages,
  };
}

MOORING_CONFIGURATION({
    .name = "memlock_partial",
    .preparation = {.limits_memlock = true, .memlock_bytes = kBudgetBytes},
    .missing = &Missing,
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
