#include "tools/moor/chunk_pool.h"

#include "tools/moor/failure.h"

namespace moor {

ChunkPool::ChunkPool(mooring_slab_t* slab, const WindowPlan& window) : slab_(slab) {
  chunks_.reserve(window.chunk_count);
  try {
    for (uint32_t index = 0; index < window.chunk_count; ++index) {
      Chunk chunk;
      Check(mooring_slab_acquire(slab_, window.buffers_per_chunk, &chunk.lease));
      chunk.data = static_cast<char*>(mooring_slab_data(slab_, chunk.lease));
      chunks_.push_back(chunk);
      free_.push(index);
    }
  } catch (...) {
    ReleaseAll();
    throw;
  }
}

ChunkPool::~ChunkPool() { ReleaseAll(); }

void ChunkPool::ReleaseAll() {
  for (const Chunk& chunk : chunks_) {
    // Operations that are still in flight keep their leases (slab.h).
    mooring_error_destroy(mooring_slab_release(slab_, chunk.lease));
  }
  chunks_.clear();
}

uint32_t ChunkPool::Acquire() {
  const uint32_t index = free_.top();
  free_.pop();
  return index;
}

}  // namespace moor
