// seccomp_filter.h: a filter as container runtimes install it, which makes io_uring's system calls
// fail with an errno; and one that makes a kernel look older.
//
// Docker's default profile returns EPERM, podman's ENOSYS. A filter cannot be removed, and exec(2)
// inherits it.
//
// Threading: single-threaded programs only.
#ifndef MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_
#define MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_

namespace mooring::conformance {

// From now on io_uring_setup, io_uring_enter and io_uring_register fail with `error`. False if the
// filter cannot be installed.
bool DenyIoUring(int error);

// From now on io_uring_register(2) fails with EINVAL for the operation `opcode`
// (IORING_REGISTER_*), as on kernels that lack it. False if the filter cannot be installed.
bool HideRegistration(int opcode);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_
