// proc_self.h: what this process holds, as the kernel tells it in /proc/self (proc(5)).
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_PROC_SELF_H_
#define MOORING_TESTING_SUPPORT_PROC_SELF_H_

#include <cstdint>
#include <map>
#include <string>

namespace mooring::conformance {

uint64_t OpenFdCount();
uint64_t MappingCount();
// Mappings whose name holds `name`, for example "[io_uring]".
uint64_t MappingCount(const std::string& name);
uint64_t ThreadCount();
// Threads beside the caller that run or could run; those that the kernel made for a ring (named
// iou-*) do not count.
uint64_t RunningThreadCount();
// CPU time of those that the kernel made, in nanoseconds, by thread id.
std::map<std::string, uint64_t> KernelThreadsCpuNs();

// True when the thread that polls the submission queue of the ring `fd` (SQPOLL) is off its CPU
// until somebody wakes it; false too where the kernel does not tell (CONFIG_KALLSYMS).
bool SqpollThreadSleeps(int fd);

// True when the page at `address` is mapped.
bool IsMapped(const void* address);

// A line of /proc/self/status, for example "CapEff", as text without the name; "" when there is
// none.
std::string StatusLine(const std::string& name);

// What the kernel has pinned for this process (VmPin of /proc/self/status, proc(5)), root's too up
// to 7.0. A ring that was closed may give its share back late: the kernel ends it on a thread of
// its own.
uint64_t PinnedBytes();

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PROC_SELF_H_
