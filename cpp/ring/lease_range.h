// HoldRange: finds an operation's bytes in a slab and holds their lease.
//
// Threading: any thread.
#ifndef MOORING_CPP_RING_LEASE_RANGE_H_
#define MOORING_CPP_RING_LEASE_RANGE_H_

#include <cstdint>

#include "cpp/base/status.h"
#include "cpp/ring/operation_errors.h"
#include "cpp/slabs/slab.h"

namespace mooring {

// The range is [offset, offset + size) of the lease, which is then held, or of the slab if
// `generation` is 0. `out_offset` counts from the start of the slab. Returns why it refuses the
// range and holds nothing, or null. Inlined because it is on the data path.
[[gnu::always_inline]] inline const ErrorDetail* HoldRange(Slab& slab, uint32_t first_index,
                                                           uint32_t generation, uint64_t offset,
                                                           uint64_t size, uint64_t* out_offset) {
  uint64_t start = 0;
  uint64_t limit = slab.total_bytes();
  if (generation != 0) {
    const uint32_t buffers = slab.Hold(first_index, generation);
    if (buffers == 0) return &kStaleLease;
    start = first_index * slab.buffer_bytes();
    limit = buffers * slab.buffer_bytes();
  }
  if (offset > limit || size > limit - offset) {
    if (generation != 0) slab.Unhold(first_index);
    return &kOutOfBounds;
  }
  *out_offset = start + offset;
  return nullptr;
}

}  // namespace mooring

#endif  // MOORING_CPP_RING_LEASE_RANGE_H_
