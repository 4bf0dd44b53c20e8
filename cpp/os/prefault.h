// Prefault: has the kernel back every page of a range with memory of its own, by several threads at
// once, without changing a byte. After it, neither first use nor pinning pays for page faults.
//
// The range may be in use by others meanwhile. What cannot be written (read-only, unmapped, a huge
// page that is not to be had on its NUMA node) is an error, never a signal.
//
// Threading: any thread. Threads that it starts block all signals, run no code of the caller and
// have ended on return.
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
  kAuto,      // kPopulate, and kPerPage where the kernel does not know it
  kPopulate,  // madvise(MADV_POPULATE_WRITE), Linux 5.14
  kPerPage,   // one system call per page
};

struct PrefaultOptions {
  std::span<std::byte> range;  // of any alignment; empty is success
  uint64_t page_bytes = 0;     // pages the range is mapped in, a power of two; 0 = ordinary ones
  uint32_t thread_count = 0;   // at most; 0 = by size and CPUs
  // Run the threads on those CPUs of this node that the caller may use; -1 = anywhere.
  int32_t numa_node = -1;
  PrefaultMethod method = PrefaultMethod::kAuto;
};

struct PrefaultReport {
  uint32_t thread_count = 0;    // that did the work, the caller's included
  int32_t thread_error = 0;     // errno of the first thread that could not be started
  int32_t placement_error = 0;  // errno of the first thread that could not be moved to numa_node
  PrefaultMethod method = PrefaultMethod::kPopulate;  // that was used
};

// NOT_FOUND, UNSUPPORTED (numa_node, as RunOnNode), EXHAUSTED (no memory, no huge page),
// INVALID_ARGUMENT (memory that cannot be written), UNSUPPORTED (kPopulate asked for, and not known
// or not for this memory), IO (memory has failed). Threads that cannot be had are no error: the
// others do their work.
Status Prefault(const PrefaultOptions& options, PrefaultReport* out_report = nullptr);

}  // namespace mooring

#endif  // MOORING_CPP_OS_PREFAULT_H_
