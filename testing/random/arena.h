// arena.h: one slab, and what the workload knows of its leases.
//
// Every buffer has at most one holder: a lease that overlaps another is a violation at once. What
// is released goes back with its bytes as they are; canary.h finds out who writes to it afterwards.
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
  // An operation names the slab and not the lease, so that only the workload holds it.
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
  // Of a buffer that a ring had leased, and has handed over.
  SharedLease Take(const mooring_lease_t& lease);
  // The first call releases, any other does nothing.
  void Release(LeaseUse& use);

  // By a few buffers, or by none where the slab is as large as it may be, or a registration
  // refuses.
  void Grow(Decisions& decisions);

  // False while the kernel still uses the memory.
  bool TryClose();
  // After it: with these leases released, the slab knows of no user.
  void ExpectUnused(const std::vector<SharedLease>& leftover);
  // Without a close, the pages go when the last user does.
  void DestroySlab() { slab_.reset(); }
  // For those who watch that nobody writes to it after a close.
  std::unique_ptr<conformance::MappedMemory> TakeMemory() { return std::move(memory_); }

 private:
  SharedLease Hold(std::shared_ptr<LeaseUse> use);

  Tally& tally_;
  const uint64_t buffer_bytes_;
  // By buffer, those that it may grow to included: the generation of its lease, or 0.
  std::vector<std::atomic<uint32_t>> holders_;
  std::unique_ptr<conformance::MappedMemory> memory_;
  conformance::Slab slab_;
  std::byte* data_ = nullptr;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_ARENA_H_
