// seccomp_eperm: a seccomp filter makes io_uring's system calls fail with EPERM, as Docker's
// default profile does.

#include <cerrno>

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

Expectation Expect() {
  Expectation expectation = ThreadsExpectation(MOORING_ENGINE_REASON_IO_URING_DENIED, EPERM);
  expectation.named_io_uring_code = MOORING_CODE_PERMISSION;
  expectation.capabilities |= kFallenBack;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "seccomp_eperm",
    .preparation = {.io_uring_errno = EPERM},
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
