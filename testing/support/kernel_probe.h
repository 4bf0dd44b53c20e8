// kernel_probe.h: tests the kernel with direct system calls instead of the library under test, so
// that a configuration's expectation does not come from the code that it checks.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_KERNEL_PROBE_H_
#define MOORING_TESTING_SUPPORT_KERNEL_PROBE_H_

#include <cstdint>

namespace mooring::conformance {

// io_uring_setup(2) of a small ring with these IORING_SETUP_* flags. Returns 0 or the errno.
int ProbeRing(uint32_t setup_flags = 0);

// Registers [data, data + size) as a fixed buffer of a new ring. Returns 0, or the errno of setup
// or register.
int ProbePin(void* data, uint64_t size);

// The same with `size` bytes of new anonymous memory.
int ProbePin(uint64_t size);

// io_uring_register(2) with this operation and no ring. Returns EBADF where the kernel has the
// operation, else EINVAL.
int ProbeRegistration(int opcode);

// The smallest soft RLIMIT_MEMLOCK under which one page can be pinned now, found by trying. It is
// the charge of all processes of this user, plus one page. UINT64_MAX when the hard limit is too
// low. Restores the limit.
uint64_t SmallestWorkingMemlock();

// True where userfaultfd(2) handles faults inside the kernel, which needs CAP_SYS_PTRACE or a
// sysctl.
bool HasUserfaultfd();
inline constexpr char kUserfaultfdRemedy[] =
    "add CAP_SYS_PTRACE, or set sysctl vm.unprivileged_userfaultfd=1";

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_KERNEL_PROBE_H_
