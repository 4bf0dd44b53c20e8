#include "cpp/os/numa.h"

#include <numa.h>
#include <numaif.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/pages.h"
#include "cpp/os/proc_file.h"

namespace mooring {
namespace {

struct FreeBitmask {
  void operator()(bitmask* mask) const { numa_bitmask_free(mask); }
};
using Bitmask = std::unique_ptr<bitmask, FreeBitmask>;

// False in a kernel without NUMA; with newer versions of libnuma also if a sandbox forbids its
// system calls. No other function of libnuma may be called before this one (numa(3)).
bool HasNuma() { return ::numa_available() != -1; }

bool NodeExists(uint32_t node) {
  if (!HasNuma()) return node == 0;
  // numa_all_nodes_ptr contains the nodes on which this process may allocate memory (numa(3)).
  return node < numa_all_nodes_ptr->size && ::numa_bitmask_isbitset(numa_all_nodes_ptr, node) != 0;
}

// "0-1,4"
std::string NodeList() {
  if (!HasNuma()) return "0";
  std::string list;
  const auto is_set = [](uint64_t node) {
    return node < numa_all_nodes_ptr->size &&
           ::numa_bitmask_isbitset(numa_all_nodes_ptr, static_cast<unsigned>(node)) != 0;
  };
  for (uint64_t node = 0; node < numa_all_nodes_ptr->size; ++node) {
    if (!is_set(node)) continue;
    const uint64_t first = node;
    while (is_set(node + 1)) ++node;
    list += (list.empty() ? "" : ",") + std::to_string(first);
    if (node > first) list += "-" + std::to_string(node);
  }
  return list;
}

// The CPUs of `node` that the calling thread may use now; null if there are none, or /sys does not
// list them. numa_node_to_cpus is not used: it fills a cache shared by all threads without a lock.
Bitmask UsableCpusOf(uint32_t node) {
  std::optional<std::string> list =
      ReadSmallFile(Format("/sys/devices/system/node/node%u/cpulist", node).c_str());
  while (list && !list->empty() && list->back() == '\n') list->pop_back();
  if (!list || list->empty()) return nullptr;  // a node of memory only, without CPUs
  Bitmask cpus(::numa_parse_cpustring_all(list->c_str()));
  const Bitmask allowed(::numa_allocate_cpumask());
  if (cpus == nullptr || allowed == nullptr || ::numa_sched_getaffinity(0, allowed.get()) < 0)
    return nullptr;
  // Exclude CPUs that taskset(1) or the caller has excluded.
  for (unsigned cpu = 0; cpu < cpus->size; ++cpu) {
    if (cpu >= allowed->size || !::numa_bitmask_isbitset(allowed.get(), cpu))
      ::numa_bitmask_clearbit(cpus.get(), cpu);
  }
  if (::numa_bitmask_weight(cpus.get()) == 0) return nullptr;
  return cpus;
}

Status BindError(int error, const NumaBinding& binding) {
  const std::string what =
      Format("cannot set the NUMA node of %s to %u (%s)", FormatBytes(binding.range.size()).c_str(),
             binding.node, binding.strict ? "MPOL_BIND" : "MPOL_PREFERRED");
  switch (error) {
    case EIO:
      // MPOL_MF_STRICT: a page is on another node and did not move (mbind(2)). Pinned pages never
      // move.
      return Status(Code::kExhausted, Retry::kAfterRemedy,
                    what + ": a page is on another node and cannot move",
                    "bind memory before it is used, shared or registered, or use a binding that is "
                    "not strict",
                    error);
    case EPERM:
      return ErrnoStatus(
          error, what,
          "allow mbind in this process's sandbox (container defaults require CAP_SYS_NICE)");
    case EFAULT:
      return Status(Code::kInvalidArgument, Retry::kNever,
                    what + ": part of the range is not mapped", "bind only memory that is mapped",
                    error);
    default:
      return ErrnoStatus(error, what, "free memory on that node, or use another node");
  }
}

}  // namespace

uint32_t NodeCount() {
  if (!HasNuma()) return 1;
  // Nodes with memory: a node with CPUs only can contain no page.
  const unsigned count = ::numa_bitmask_weight(numa_all_nodes_ptr);
  return count > 0 ? count : 1;
}

Status CheckNode(uint32_t node) {
  if (NodeExists(node)) return OkStatus();
  if (!HasNuma()) {
    return Status(
        Code::kUnsupported, Retry::kNever,
        Format("NUMA node %u is not available: this kernel or sandbox has no NUMA support", node),
        "use node 0 or no node, or allow get_mempolicy in this process's sandbox", ENOSYS);
  }
  return Status(Code::kNotFound, Retry::kNever,
                Format("there is no NUMA node %u that this process may use", node),
                Format("use one of %s (a cpuset can hide others: cpuset.mems)", NodeList().c_str()),
                EINVAL);
}

Status BindRange(const NumaBinding& binding) {
  RETURN_IF_ERROR(CheckNode(binding.node));
  if (binding.range.empty()) return OkStatus();
  if (!IsAligned(reinterpret_cast<uintptr_t>(binding.range.data()), PageBytes())) {
    return InvalidArgument("a range to bind to a NUMA node does not start on a page boundary",
                           "align it to the page size");
  }
  if (!HasNuma()) return OkStatus();  // all memory is on node 0

  const Bitmask nodes(::numa_allocate_nodemask());
  if (nodes == nullptr) return BindError(ENOMEM, binding);
  ::numa_bitmask_setbit(nodes.get(), binding.node);
  const int mode = binding.strict ? MPOL_BIND : MPOL_PREFERRED;
  const unsigned flags = binding.strict ? MPOL_MF_MOVE | MPOL_MF_STRICT : MPOL_MF_MOVE;
  // The kernel reads maxnode - 1 bits: mbind(2) and get_mempolicy(2) disagree on maxnode, so
  // libnuma also passes size + 1.
  if (::mbind(binding.range.data(), binding.range.size(), mode, nodes->maskp, nodes->size + 1,
              flags) != 0) {
    const int error = errno;
    // The call is forbidden but not needed, because the pages can be on one node only.
    if (error == EPERM && NodeCount() == 1) return OkStatus();
    return BindError(error, binding);
  }
  return OkStatus();
}

int32_t NodeOf(const void* address) {
  if (!HasNuma()) return -1;
  // Without a list of nodes, move_pages(2) only reports. It does not fault the page in, as
  // get_mempolicy(MPOL_F_ADDR) does.
  void* page =
      reinterpret_cast<void*>(AlignDown(reinterpret_cast<uintptr_t>(address), PageBytes()));
  int node = -1;
  if (::move_pages(0, 1, &page, nullptr, &node, 0) != 0) return -1;
  return node >= 0 ? node : -1;
}

Status RunOnNode(uint32_t node) {
  RETURN_IF_ERROR(CheckNode(node));
  if (!HasNuma() || NodeCount() == 1) return OkStatus();
  const Bitmask cpus = UsableCpusOf(node);
  if (cpus == nullptr) return OkStatus();
  if (::numa_sched_setaffinity(0, cpus.get()) < 0) {
    const int error = errno;
    return ErrnoStatus(error, Format("cannot run on the CPUs of NUMA node %u", node),
                       "allow sched_setaffinity in this process's sandbox, or name no node");
  }
  return OkStatus();
}

}  // namespace mooring
