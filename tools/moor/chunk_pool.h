// ChunkPool: the slab divided into chunks. A chunk is a run of buffers that is leased once and
// reused.
//
// Acquire returns the lowest free chunk: if only a prefix of the slab is pinned, the pinned chunks
// are used first.
//
// Lifecycle: leases on construction, releases on destruction. Threading: one owner.
//
//   ChunkPool pool(session.slab(), window);
//   uint32_t index = pool.Acquire();  // while !pool.empty()
//   pool.Release(index);
#ifndef MOORING_TOOLS_MOOR_CHUNK_POOL_H_
#define MOORING_TOOLS_MOOR_CHUNK_POOL_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include <mooring/mooring.h>

#include "tools/moor/memory_plan.h"

namespace moor {

struct Chunk {
  mooring_lease_t lease = {};
  char* data = nullptr;
};

class ChunkPool {
 public:
  ChunkPool(mooring_slab_t* slab, const WindowPlan& window);
  ~ChunkPool();

  bool empty() const { return free_.empty(); }
  uint32_t Acquire();
  void Release(uint32_t index) { free_.push(index); }
  const Chunk& operator[](uint32_t index) const { return chunks_[index]; }

 private:
  void ReleaseAll();

  mooring_slab_t* slab_;
  std::vector<Chunk> chunks_;
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<uint32_t>> free_;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_CHUNK_POOL_H_
