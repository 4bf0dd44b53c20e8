// seccomp_enosys: a seccomp filter makes io_uring's system calls fail with ENOSYS, as podman's
// default profile and gVisor do. A kernel built without io_uring looks the same.

#include <cerrno>

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

Expectation Expect() {
  Expectation expectation = ThreadsExpectation(MOORING_ENGINE_REASON_IO_URING_MISSING, ENOSYS);
  expectation.named_io_uring_code = MOORING_CODE_UNSUPPORTED;
  expectation.capabilities |= kFallenBack;
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "seccomp_enosys",
    .preparation = {.io_uring_errno = ENOSYS},
    .expect = &Expect,
});

}  // namespace
}  // namespace mooring::conformance
