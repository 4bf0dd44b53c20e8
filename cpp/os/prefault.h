// Prefault: faults in every page of a range for writing, with several threads, and changes no byte.
// Afterwards, neither the first use nor pinning causes page faults.
//
// Other threads may use the range during the call. Memory that cannot be written (read-only,
// unmapped, or without a free huge page on its NUMA node) causes an error, never a signal.
//
// Threading: any thread. The threads that it starts block all signals, run no code of the caller,
// and end before it returns.
//
//   RETURN_IF_ERROR(Prefault({.range = mapping.range(), .page_bytes = mapping.page_bytes()}));
#ifndef MOORING_CPP_OS_PREFAULT_H_
#define MOORING_CPP_OS_PREFAULT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpp/base/status.h"

namespace mooring {

enum class PrefaultMethod {
  kAuto,      // kPopulate, or kPerPage if the kernel does not know kPopulate
  kPopulate,  // madvise(MADV_POPULATE_WRITE), Linux 5.14
  kPerPage,   // one system call per page
};

struct PrefaultOptions {
  std::span<std::byte> range;  // of any alignment; empty is success
  uint64_t page_bytes = 0;     // page size of the mapping, a power of two; 0 = base pages
  uint32_t thread_count = 0;   // a maximum; 0 = depends on the size and the CPUs
  // Run the threads on the CPUs of this node that the caller may use; -1 = on all CPUs.
  int32_t numa_node = -1;
  PrefaultMethod method = PrefaultMethod::kAuto;
};

struct PrefaultReport {
  uint32_t thread_count = 0;    // threads that took part, including the caller's
  int32_t thread_error = 0;     // errno of the first thread that did not start
  int32_t placement_error = 0;  // errno of the first thread that did not move to numa_node
  PrefaultMethod method = PrefaultMethod::kPopulate;  // the method used
};

// NOT_FOUND, UNSUPPORTED (numa_node, as RunOnNode), EXHAUSTED (no memory, no huge page),
// INVALID_ARGUMENT (memory that cannot be written), UNSUPPORTED (kPopulate is requested, but the
// kernel does not know it, or not for this memory), IO (memory has failed). A thread that does not
// start is not an error: the other threads do its work.
Status Prefault(const PrefaultOptions& options, PrefaultReport* out_report = nullptr);

}  // namespace mooring

#endif  // MOORING_CPP_OS_PREFAULT_H_
