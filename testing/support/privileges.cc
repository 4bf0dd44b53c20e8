#include "testing/support/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

bool HasEffective(int capability) {
  const uint64_t mask = std::strtoull(StatusLine("CapEff").c_str(), nullptr, 16);
  return ((mask >> capability) & 1) != 0;
}

// The initial namespace maps every id to itself (user_namespaces(7)).
bool InInitialUserNamespace() {
  std::ifstream map("/proc/self/uid_map");
  uint64_t inside = 1;
  uint64_t outside = 1;
  uint64_t count = 0;
  map >> inside >> outside >> count;
  return inside == 0 && outside == 0 && count == UINT32_MAX;
}

}  // namespace

bool IsMemlockExempt() { return HasEffective(CAP_IPC_LOCK) && InInitialUserNamespace(); }

bool DropIpcLock() {
  // Fails without CAP_SETPCAP. Then the process is not root, and exec adds no capability.
  prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_IPC_LOCK, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  __user_cap_data_struct& word = data[CAP_TO_INDEX(CAP_IPC_LOCK)];
  word.effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
  word.permitted &= ~CAP_TO_MASK(CAP_IPC_LOCK);
  word.inheritable &= ~CAP_TO_MASK(CAP_IPC_LOCK);
  if (syscall(SYS_capset, &header, data) != 0) return false;
  return !HasEffective(CAP_IPC_LOCK);
}

bool CanTakeOtherUids() { return HasEffective(CAP_SETUID) && InInitialUserNamespace(); }

uid_t PickUid() {
  // Above login users, below the ids that systemd assigns to containers.
  constexpr uid_t kFirst = 61'500;
  constexpr uid_t kCount = 3'500;
  return kFirst + static_cast<uid_t>(getpid()) % kCount;
}

bool TakeRealUid(uid_t uid) {
  constexpr uid_t kKeep = static_cast<uid_t>(-1);
  return setresuid(uid, kKeep, kKeep) == 0 && getuid() == uid;
}

}  // namespace mooring::conformance
