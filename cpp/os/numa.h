// Numa: which memory nodes there are, on which one a range shall be, and on which a page is. The
// only file that uses libnuma.
//
// Works without NUMA: there is one node then, 0, and all memory is on it.
//
// Threading: any thread.
//
//   RETURN_IF_ERROR(BindRange({.range = mapping.range(), .node = 1, .strict = true}));
//   RETURN_IF_ERROR(Prefault({.range = mapping.range(), .numa_node = 1}));
//   CHECK(NodeOf(mapping.data()) == 1);
#ifndef MOORING_CPP_OS_NUMA_H_
#define MOORING_CPP_OS_NUMA_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpp/base/status.h"

namespace mooring {

// Memory nodes of this machine, at least 1. Their numbers may have gaps.
uint32_t NodeCount();

// Success when memory can be on `node`. NOT_FOUND: no such node, or not one that this process may
// use (cpuset). UNSUPPORTED: a node other than 0 in a kernel or sandbox without NUMA.
Status CheckNode(uint32_t node);

struct NumaBinding {
  std::span<std::byte> range;  // starts on a page
  uint32_t node = 0;
  // Pages on this node or not at all (MPOL_BIND); else on it where it has room (MPOL_PREFERRED).
  bool strict = false;
};

// Sets where pages of the range will be, and moves those it has already and shares with nobody
// (mbind(2)). Errors of CheckNode. PERMISSION: a sandbox forbids mbind. EXHAUSTED: no memory; or
// strict, and a page would not move (pinned, or shared).
Status BindRange(const NumaBinding& binding);

// The node that holds the page of `address` now; -1 when it is not in memory or the kernel does not
// tell.
int32_t NodeOf(const void* address);

// Moves the calling thread to those CPUs of `node` that it may run on. Success and no move when
// there are none, or only one node. Errors of CheckNode, PERMISSION.
Status RunOnNode(uint32_t node);

}  // namespace mooring

#endif  // MOORING_CPP_OS_NUMA_H_
