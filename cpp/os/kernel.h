// Kernel: its release and the facts about it that reports contain. Features are detected by trying
// them, never by the release, because distributions backport features.
//
// Threading: any thread.
//
//   if (IoUringDisabledSysctl().value_or(0) == 2) ...
#ifndef MOORING_CPP_OS_KERNEL_H_
#define MOORING_CPP_OS_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>

namespace mooring {

// "6.1.0-18-amd64": uname(2). For reports only.
std::string KernelRelease();

// /proc/sys/kernel/io_uring_disabled (Linux 6.6): 0 = allowed, 1 = only for members of
// io_uring_group and with CAP_SYS_ADMIN, 2 = disabled for all. nullopt in a kernel without it, or
// if /proc does not show it.
std::optional<int> IoUringDisabledSysctl();

// Number of CPUs that the calling thread may run on (sched_getaffinity(2)), at least 1. It ignores
// cgroup quotas.
uint32_t UsableCpuCount();

}  // namespace mooring

#endif  // MOORING_CPP_OS_KERNEL_H_
