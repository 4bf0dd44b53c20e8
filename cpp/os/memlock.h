// Memlock: how much memory this process may pin (RLIMIT_MEMLOCK, getrlimit(2)), and whether it is
// held to that at all.
//
// The kernel holds against the limit what all processes of the user have pinned together, and
// exports that sum nowhere; so these are the rules of the budget, not what is left of it. Nothing
// is cached: both may change under us.
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
  uint64_t hard_bytes = 0;  // what soft may be raised to; UINT64_MAX = unlimited
  // The calling thread has CAP_IPC_LOCK in effect, in the initial user namespace: io_uring asks for
  // it there (ns_capable(&init_user_ns, CAP_IPC_LOCK)), so root of a rootless container is not
  // exempt.
  bool exempt = false;
};

MemlockLimits ReadMemlockLimits();

// Soft := hard, for the whole process; no privilege needed (setrlimit(2)). Success also when there
// is nothing to raise.
Status RaiseMemlockSoftLimit();

// Whether this process lives in the initial user namespace. False when /proc does not tell.
bool InInitialUserNamespace();

}  // namespace mooring

#endif  // MOORING_CPP_OS_MEMLOCK_H_
