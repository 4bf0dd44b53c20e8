#include "cpp/os/memlock.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "cpp/base/format.h"

namespace mooring {
namespace {

// PROC_USER_INIT_INO of include/linux/proc_ns.h, the same since Linux 3.8, and USER_NS_INIT_INO of
// the uapi header linux/nsfs.h since 6.18.
constexpr ino_t kInitialUserNamespaceInode = 0xEFFFFFFD;

uint64_t BytesOf(rlim_t limit) { return limit == RLIM_INFINITY ? UINT64_MAX : uint64_t{limit}; }

std::string LimitText(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : FormatBytes(limit);
}

// For pid 0, capget(2) reports the calling thread. It does not report the user namespace for which
// the capability is valid.
bool HasIpcLockInEffect() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

}  // namespace

bool InInitialUserNamespace() {
  // The inode number is proof: only the initial namespace has it. /proc/self/uid_map is no proof: a
  // privileged parent can write the identity map of the initial namespace into any other one.
  struct stat user_namespace;
  if (::stat("/proc/self/ns/user", &user_namespace) == 0) {
    return user_namespace.st_ino == kInitialUserNamespaceInode;
  }
  // A kernel built without user namespaces has only the initial one, and /proc/self/ns contains the
  // other kinds only.
  struct stat mount_namespace;
  return errno == ENOENT && ::stat("/proc/self/ns/mnt", &mount_namespace) == 0;
}

MemlockLimits ReadMemlockLimits() {
  MemlockLimits limits;
  rlimit limit = {};
  // getrlimit(2) fails only for a bad address or a resource that does not exist.
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    limits.soft_bytes = BytesOf(limit.rlim_cur);
    limits.hard_bytes = BytesOf(limit.rlim_max);
  }
  limits.exempt = HasIpcLockInEffect() && InInitialUserNamespace();
  return limits;
}

Status RaiseMemlockSoftLimit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
    return ErrnoStatus(errno, "cannot read RLIMIT_MEMLOCK",
                       "allow getrlimit in this process's sandbox");
  }
  if (limit.rlim_cur == limit.rlim_max) return OkStatus();
  const rlimit raised = {limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_MEMLOCK, &raised) != 0) {
    // EPERM only from a sandbox: raising the soft limit up to the hard limit needs no privilege.
    const int error = errno;
    return ErrnoStatus(
        error,
        Format("cannot raise the soft RLIMIT_MEMLOCK from %s to the hard limit, %s",
               LimitText(limit.rlim_cur).c_str(), LimitText(limit.rlim_max).c_str()),
        "allow setrlimit in this process's sandbox, or start it with the limit raised (ulimit -l)");
  }
  return OkStatus();
}

}  // namespace mooring
