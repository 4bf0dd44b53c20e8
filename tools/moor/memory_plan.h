// MemoryPlan: the sizes of the slab, of its buffers, of a chunk and of the window.
//
// A chunk is a run of whole buffers that one read fills. It has between 256 KiB and 16 MiB, so that
// a system call moves enough data and at least sixteen chunks are in flight. The window is the
// memory of all chunks together.
//
// Threading: pure functions.
//
//   SlabPlan slab = PlanSlab(options);
//   WindowPlan window = PlanWindow(slab, file_bytes);
#ifndef MOORING_TOOLS_MOOR_MEMORY_PLAN_H_
#define MOORING_TOOLS_MOOR_MEMORY_PLAN_H_

#include <cstdint>
#include <optional>

#include "tools/moor/options.h"

namespace moor {

inline constexpr uint64_t kChunkBytesMin = UINT64_C(256) << 10;
inline constexpr uint64_t kChunkBytesMax = UINT64_C(16) << 20;

struct SlabPlan {
  uint64_t buffer_bytes = 0;
  uint64_t buffer_count = 0;
  uint64_t window_bytes = 0;  // at least one buffer, at most the slab

  uint64_t total_bytes() const { return buffer_bytes * buffer_count; }
};

struct WindowPlan {
  uint32_t buffers_per_chunk = 0;
  uint32_t chunk_count = 0;
  uint64_t chunk_bytes = 0;  // maximum size of one read; at most the size of its buffers
};

// Throws UsageFailure if the sizes of the options contradict each other. No size is changed, except
// that a slab is rounded down to whole buffers.
SlabPlan PlanSlab(const TransferOptions& options);

// `total_bytes` is the total size of the sources, if it is known. A small file is divided so that
// several reads overlap.
WindowPlan PlanWindow(const SlabPlan& slab, std::optional<uint64_t> total_bytes);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_MEMORY_PLAN_H_
