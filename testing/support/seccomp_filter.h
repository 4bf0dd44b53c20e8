// seccomp_filter.h: a filter as container runtimes install it, in which io_uring's system calls
// answer an errno; and one that makes a kernel look older.
//
// Docker's default profile answers EPERM, podman's ENOSYS. A filter cannot be taken off and is
// inherited by exec(2).
//
// Threading: single-threaded programs only.
#ifndef MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_
#define MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_

namespace mooring::conformance {

// io_uring_setup, io_uring_enter and io_uring_register answer `error` from now on. False if the
// filter is refused.
bool DenyIoUring(int error);

// io_uring_register(2) answers EINVAL to the operation `opcode` (IORING_REGISTER_*), as kernels do
// that lack it. False if the filter is refused.
bool HideRegistration(int opcode);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_SECCOMP_FILTER_H_
