// canary.h: released memory, filled with a mark and checked later, to detect late writes.
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_RANDOM_CANARY_H_
#define MOORING_TESTING_RANDOM_CANARY_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "testing/random/arena.h"
#include "testing/random/invariant.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/pattern.h"

namespace mooring::workload {

// A lease of buffers that earlier leases have used.
class LeaseCanary {
 public:
  LeaseCanary(Arena& arena, SharedLease lease, std::byte mark)
      : arena_(arena), lease_(std::move(lease)), mark_(mark) {
    std::fill_n(lease_->data, lease_->size, mark_);
  }

  void Check() const {
    const auto verdict = conformance::IsAll(lease_->data, mark_, lease_->size);
    INVARIANT(verdict, "a late write into buffer %u, leased only by its canary: %s",
              lease_->lease.first_index, verdict.message());
  }

  void Release() {
    Check();
    arena_.Release(*lease_);
  }

 private:
  Arena& arena_;
  SharedLease lease_;
  std::byte mark_;
};

// The memory of a closed slab.
class MemoryCanary {
 public:
  MemoryCanary(std::unique_ptr<conformance::MappedMemory> memory, std::byte mark)
      : memory_(std::move(memory)), mark_(mark) {
    std::fill_n(memory_->data(), memory_->size(), mark_);
  }

  void Check() const {
    const auto verdict = conformance::IsAll(memory_->data(), mark_, memory_->size());
    INVARIANT(verdict, "a late write into the memory of a closed slab: %s", verdict.message());
  }

 private:
  std::unique_ptr<conformance::MappedMemory> memory_;
  std::byte mark_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_CANARY_H_
