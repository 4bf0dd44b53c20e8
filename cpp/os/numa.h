// Numa: lists the memory nodes, binds a range to a node, and reports the node of a page. Only
// numa.cc uses libnuma.
//
// It works without NUMA: then the only node is 0, and all memory is on it.
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

// Number of memory nodes of this machine, at least 1. Node numbers may have gaps.
uint32_t NodeCount();

// Success if memory can be placed on `node`. NOT_FOUND: no such node, or this process may not use
// it (cpuset). UNSUPPORTED: a node other than 0 in a kernel or sandbox without NUMA.
Status CheckNode(uint32_t node);

struct NumaBinding {
  std::span<std::byte> range;  // starts on a page boundary
  uint32_t node = 0;
  // true: pages only on this node (MPOL_BIND); false: on it while it has room (MPOL_PREFERRED).
  bool strict = false;
};

// Sets the node for future pages of the range, and moves existing pages that no other process
// shares (mbind(2)). Errors of CheckNode. PERMISSION: a sandbox forbids mbind. EXHAUSTED: no
// memory; or the binding is strict and a page cannot move (pinned, or shared).
Status BindRange(const NumaBinding& binding);

// The node of the page of `address` now; -1 if the page is not in memory, or the kernel does not
// report a node.
int32_t NodeOf(const void* address);

// Restricts the calling thread to the CPUs of `node` that it may run on. If there are none, or only
// one node, it does nothing and succeeds. Errors of CheckNode, PERMISSION.
Status RunOnNode(uint32_t node);

}  // namespace mooring

#endif  // MOORING_CPP_OS_NUMA_H_
