// LeaseTable: for each buffer of a slab, whether it is leased, the generation of the lease, and the
// number of operations that hold it.
//
// The owner of a lease releases it; operations hold it. The buffers are free again when the lease
// is released and the last hold is dropped, in any order. Each lease of a buffer gets a new
// generation, which distinguishes the current lease from earlier ones: the use of a stale lease is
// an error, and never makes a second owner. (The generations of a buffer repeat after 2^32 - 1
// leases of it.)
//
// The table knows neither memory nor rings. FreeBitmap records which buffers are free, and defines
// when EXHAUSTED is returned while other threads use the table.
//
// Lifecycle: Create allocates all memory.
//
// Threading: any thread, lock-free; Grow one thread at a time. The next owner of a buffer sees all
// writes to it that came before its Release, and those of an operation's thread before Unhold.
//
//   std::unique_ptr<LeaseTable> leases = LeaseTable::Create(64);
//   Lease lease;
//   RETURN_IF_ERROR(leases->Acquire(2, &lease));
//   uint32_t buffer_count = leases->Hold(lease.first_index, lease.generation);  // 2
//   RETURN_IF_ERROR(leases->Release(lease));                                    // still leased
//   leases->Unhold(lease.first_index);                                          // free
#ifndef MOORING_CPP_SLABS_LEASE_TABLE_H_
#define MOORING_CPP_SLABS_LEASE_TABLE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cpp/base/status.h"
#include "cpp/slabs/free_bitmap.h"
#include "cpp/slabs/lease.h"

namespace mooring {

class LeaseTable {
 public:
  static constexpr uint32_t kBufferCountMax = FreeBitmap::kBufferCountMax;
  static constexpr uint32_t kHoldCountMax = (uint32_t{1} << 20) - 1;

  // Has `buffer_count` buffers, all free, and room for `buffer_count_max`, at most kBufferCountMax.
  // Null when there is not enough memory.
  static std::unique_ptr<LeaseTable> Create(uint32_t buffer_count, uint32_t buffer_count_max);
  static std::unique_ptr<LeaseTable> Create(uint32_t buffer_count) {
    return Create(buffer_count, buffer_count);
  }
  ~LeaseTable();

  // Leases the lowest run that fits. Constant errors: EXHAUSTED, INVALID_ARGUMENT, and
  // INVALID_STATE after Close. An error does not change `*out_lease`.
  Status Acquire(uint32_t buffer_count, Lease* out_lease);
  // Constant error INVALID_STATE if the lease is stale, or its buffer_count is not the one that was
  // acquired.
  Status Release(const Lease& lease);

  // Adds a hold and returns the number of buffers of the lease; 0 if the lease is stale, released,
  // or has kHoldCountMax holds.
  uint32_t Hold(uint32_t first_index, uint32_t generation);
  // Drops one hold. The last Unhold of a released lease frees its buffers.
  void Unhold(uint32_t first_index);

  // True while the lease is acquired and not released.
  bool IsCurrent(uint32_t first_index, uint32_t generation) const;

  // Adds that many free buffers at the end. A thread that leases one of them sees all writes before
  // this call.
  void Grow(uint32_t buffer_count) { free_->Grow(buffer_count); }

  // Rejects further leases. A concurrent Acquire may still succeed.
  void Close();
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  // For reports, in time linear in the number of buffers. Other threads may change the result
  // immediately.
  uint32_t LeasedCount() const;  // buffers that are not free
  uint32_t HeldCount() const;    // buffers of leases that are released but still held
  uint32_t buffer_count() const { return free_->buffer_count(); }
  uint32_t buffer_count_max() const { return free_->buffer_count_max(); }

 private:
  friend class LeaseTablePeer;  // tests set generations; reaching 2^32 - 1 would take hours

  // The lease that begins at this buffer. A buffer that was never leased has state 0.
  struct Entry {
    uint64_t state;         // std::atomic_ref: generation, holds, kReleased, kLeased
    uint32_t buffer_count;  // std::atomic_ref: written before the state that publishes it
    uint32_t unused;
  };
  struct Freer {
    void operator()(Entry* entries) const;
  };

  LeaseTable(std::unique_ptr<FreeBitmap> free, std::unique_ptr<Entry[], Freer> entries);

  std::atomic_ref<uint64_t> State(uint32_t index) const {
    return std::atomic_ref(entries_[index].state);
  }
  std::atomic_ref<uint32_t> BufferCount(uint32_t index) const {
    return std::atomic_ref(entries_[index].buffer_count);
  }

  const std::unique_ptr<FreeBitmap> free_;
  const std::unique_ptr<Entry[], Freer> entries_;
  std::atomic<bool> closed_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_LEASE_TABLE_H_
