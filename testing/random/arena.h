// arena.h: one slab, and the workload's record of its leases.
//
// Every buffer has at most one holder: a lease that overlaps another is a violation. Released
// buffers keep their bytes; canary.h detects later writes to them.
//
// Threading: any.
#ifndef MOORING_TESTING_RANDOM_ARENA_H_
#define MOORING_TESTING_RANDOM_ARENA_H_

#include <mooring/mooring.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "testing/random/decisions.h"
#include "testing/random/tally.h"
#include "testing/support/handles.h"
#include "testing/support/mapped_memory.h"

namespace mooring::workload {

// A lease and its users.
struct LeaseUse {
  mooring_lease_t lease = {};
  std::byte* data = nullptr;
  uint64_t size = 0;
  uint64_t slab_offset = 0;         // of its first byte
  std::atomic<uint32_t> users = 0;  // operations in flight
  std::atomic<bool> is_released = false;
  // An operation names the slab instead of the lease, so the library does not hold the lease.
  bool is_unheld = false;
};
using SharedLease = std::shared_ptr<LeaseUse>;

class Arena {
 public:
  Arena(Decisions& decisions, Tally& tally);

  mooring_slab_t* slab() const { return slab_.get(); }
  uint64_t buffer_bytes() const { return buffer_bytes_; }
  std::byte* data() const { return data_; }
  bool is_adopted() const { return memory_ != nullptr; }

  // Null when the slab has no such run.
  SharedLease Acquire(uint32_t buffer_count);
  // Records a lease that a multishot completion has passed to the caller.
  SharedLease Take(const mooring_lease_t& lease);
  // Releases the lease at the first call; later calls do nothing.
  void Release(LeaseUse& use);

  // Grows by a few buffers, or by none if the slab has its maximal size or a registration fails.
  void Grow(Decisions& decisions);

  // False while the kernel still uses the memory.
  bool TryClose();
  // After TryClose: releases these leases, then checks that the slab has no users.
  void ExpectUnused(const std::vector<SharedLease>& leftover);
  // Without a close, the pages are released with the last user.
  void DestroySlab() { slab_.reset(); }
  // For MemoryCanary, which detects writes after a close.
  std::unique_ptr<conformance::MappedMemory> TakeMemory() { return std::move(memory_); }

 private:
  SharedLease Hold(std::shared_ptr<LeaseUse> use);

  Tally& tally_;
  const uint64_t buffer_bytes_;
  // For each buffer up to buffer_count_max: the generation of its lease, or 0.
  std::vector<std::atomic<uint32_t>> holders_;
  std::unique_ptr<conformance::MappedMemory> memory_;
  conformance::Slab slab_;
  std::byte* data_ = nullptr;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_ARENA_H_
