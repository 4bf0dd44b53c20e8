// proc_self.h: the resources of this process, from /proc/self (proc(5)).
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
// Mappings whose name contains `name`, for example "[io_uring]".
uint64_t MappingCount(const std::string& name);
uint64_t ThreadCount();
// Threads other than the caller that run or are runnable, without the kernel threads of a ring
// (named iou-*).
uint64_t RunningThreadCount();
// CPU time of the kernel threads of rings, in nanoseconds, by thread id.
std::map<std::string, uint64_t> KernelThreadsCpuNs();

// True when the SQPOLL thread of the ring `fd` sleeps until it is woken. False too where the kernel
// does not report it (CONFIG_KALLSYMS).
bool SqpollThreadSleeps(int fd);

// True when the page at `address` is mapped.
bool IsMapped(const void* address);

// The value of a line of /proc/self/status, for example "CapEff". "" when there is no such line.
std::string StatusLine(const std::string& name);

// The bytes that the kernel has pinned for this process (VmPin of /proc/self/status, proc(5)). Up
// to 7.0 it counts root's too. The kernel may release the pins of a closed ring late, on one of its
// threads.
uint64_t PinnedBytes();

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PROC_SELF_H_
