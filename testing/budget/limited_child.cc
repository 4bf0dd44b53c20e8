#include "testing/budget/limited_child.h"

#include <mooring/mooring.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "testing/support/kernel_probe.h"
#include "testing/support/privileges.h"

namespace mooring::conformance {

ChildResult RunWithoutExemption(const std::function<std::string(uint64_t others_bytes)>& body) {
  return RunInChild([&]() -> std::string {
    const bool own_uid = CanTakeOtherUids();
    if (!DropIpcLock()) return "CAP_IPC_LOCK was not dropped";
    if (own_uid) return TakeRealUid(PickUid()) ? body(0) : "cannot take another user id";
    const uint64_t others_bytes = SmallestWorkingMemlock();
    return others_bytes == UINT64_MAX ? "the hard memlock limit is spent" : body(others_bytes);
  });
}

std::string SetSoftMemlock(uint64_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return "getrlimit";
  limit.rlim_cur = bytes;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, bytes);
  if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0) return "";
  return "cannot set the soft memlock limit to " + std::to_string(bytes) + ": " +
         std::strerror(errno);
}

uint64_t ChargedBytes() {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  mooring_error_destroy(mooring_facts_get(&facts));
  return facts.memlock_used_bytes;
}

bool CanHaveMemlock(uint64_t bytes) {
  return RunInChild([&] { return SetSoftMemlock(bytes); }).complaint.empty();
}

}  // namespace mooring::conformance
