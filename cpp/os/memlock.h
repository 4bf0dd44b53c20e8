// Memlock: how much memory this process may pin (RLIMIT_MEMLOCK, getrlimit(2)), and whether the
// limit applies to it.
//
// The kernel compares the limit with the sum that all processes of the user have pinned, and does
// not export that sum. So these functions return the limits, not the remaining budget. Nothing is
// cached, because both can change at any time.
//
// Threading: any thread. The limit belongs to the process, the capability to the calling thread.
//
//   const MemlockLimits limits = ReadMemlockLimits();
//   if (!limits.exempt && limits.soft_bytes < wanted) RETURN_IF_ERROR(RaiseMemlockSoftLimit());
#ifndef MOORING_CPP_OS_MEMLOCK_H_
#define MOORING_CPP_OS_MEMLOCK_H_

#include <cstdint>

#include "cpp/base/status.h"

namespace mooring {

struct MemlockLimits {
  uint64_t soft_bytes = 0;  // UINT64_MAX = unlimited
  uint64_t hard_bytes = 0;  // the maximum for soft; UINT64_MAX = unlimited
  // The calling thread has CAP_IPC_LOCK in effect, in the initial user namespace. io_uring checks
  // it there (ns_capable(&init_user_ns, CAP_IPC_LOCK)), so root in a rootless container is not
  // exempt.
  bool exempt = false;
};

MemlockLimits ReadMemlockLimits();

// Sets the soft limit to the hard limit, for the whole process; needs no privilege (setrlimit(2)).
// Success also if they are equal already.
Status RaiseMemlockSoftLimit();

// True if this process is in the initial user namespace. False if /proc does not show it.
bool InInitialUserNamespace();

}  // namespace mooring

#endif  // MOORING_CPP_OS_MEMLOCK_H_
