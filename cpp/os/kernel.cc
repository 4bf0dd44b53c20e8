#include "cpp/os/kernel.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cpp/os/proc_file.h"

namespace mooring {

std::string KernelRelease() {
  utsname name;
  // uname(2) fails only for a bad address.
  if (::uname(&name) != 0) return std::string();
  return name.release;
}

std::optional<int> IoUringDisabledSysctl() {
  const std::optional<uint64_t> value = ReadNumberFile("/proc/sys/kernel/io_uring_disabled");
  if (!value || *value > 2) return std::nullopt;
  return static_cast<int>(*value);
}

uint32_t UsableCpuCount() {
  // A cpu_set_t has room for 1024 CPUs. The kernel rejects a set that is smaller than its own with
  // EINVAL (sched_setaffinity(2)), and can be built for 8192 CPUs.
  for (size_t cpus = CPU_SETSIZE; cpus <= (size_t{1} << 16); cpus *= 2) {
    const auto free_set = [](cpu_set_t* set) { CPU_FREE(set); };
    const std::unique_ptr<cpu_set_t, decltype(free_set)> set(CPU_ALLOC(cpus), free_set);
    if (set == nullptr) break;
    if (::sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set.get()) == 0) {
      const int count = CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set.get());
      return count > 0 ? static_cast<uint32_t>(count) : 1;
    }
    if (errno != EINVAL) break;
  }
  // A sandbox forbids the call: the number of online CPUs is the best estimate.
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<uint32_t>(online) : 1;
}

}  // namespace mooring
