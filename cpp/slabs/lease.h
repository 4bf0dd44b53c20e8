// Lease: names a contiguous run of a slab's buffers, acquired by Slab::Acquire. A copy names the
// same lease: only one Release succeeds.
//
// Threading: a value.
//
//   Lease lease;
//   RETURN_IF_ERROR(slab->Acquire(1, &lease));
#ifndef MOORING_CPP_SLABS_LEASE_H_
#define MOORING_CPP_SLABS_LEASE_H_

#include <cstdint>

namespace mooring {

// Same layout as mooring_lease_t.
struct Lease {
  uint32_t first_index = 0;
  uint32_t buffer_count = 0;
  uint32_t generation = 0;  // 0 = no lease
  uint32_t reserved = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_LEASE_H_
