// LeaseTable: which buffers of a slab are out on lease, to which generation, and how many
// operations hold them.
//
// A lease is released by its owner and held by operations. Its buffers are free again when it is
// released and no hold is left, whichever comes last. Every lease of a buffer gets a generation of
// its own, so what names an earlier lease is told from what names the present one: stale is an
// error, never a second owner. (After 2^32 - 1 leases of one buffer its generations repeat.)
//
// The table knows neither memory nor rings. Which buffers are free is FreeBitmap's; see there for
// what EXHAUSTED means while other threads are at work.
//
// Lifecycle: all memory is allocated by Create.
//
// Threading: any thread, lock-free; Grow one at a time. What one owner wrote to a buffer before
// releasing it, the next sees after acquiring it; and what an operation's thread wrote before
// Unhold likewise.
//
//   std::unique_ptr<LeaseTable> leases = LeaseTable::Create(64);
//   Lease lease;
//   RETURN_IF_ERROR(leases->Acquire(2, &lease));
//   uint32_t buffer_count = leases->Hold(lease.first_index, lease.generation);  // 2
//   RETURN_IF_ERROR(leases->Release(lease));                                    // still out
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

  // For `buffer_count` buffers, all free, with room for `buffer_count_max`, which is at most
  // kBufferCountMax. Null when there is no memory for it.
  static std::unique_ptr<LeaseTable> Create(uint32_t buffer_count, uint32_t buffer_count_max);
  static std::unique_ptr<LeaseTable> Create(uint32_t buffer_count) {
    return Create(buffer_count, buffer_count);
  }
  ~LeaseTable();

  // Leases the lowest run that fits. Constants EXHAUSTED, INVALID_ARGUMENT, and INVALID_STATE once
  // closed; then `*out_lease` is as it was.
  Status Acquire(uint32_t buffer_count, Lease* out_lease);
  // Constant INVALID_STATE when the lease is stale, or its buffer_count not what was acquired.
  Status Release(const Lease& lease);

  // Number of buffers of the lease, which now has one hold more; 0 when it is stale, released, or
  // has kHoldCountMax.
  uint32_t Hold(uint32_t first_index, uint32_t generation);
  // Drops a hold that Hold gave; the last one frees a released lease.
  void Unhold(uint32_t first_index);

  // Whether the lease is out and not released.
  bool IsCurrent(uint32_t first_index, uint32_t generation) const;

  // Adds that many free buffers at the end. What was written before is seen by whoever leases one
  // of them.
  void Grow(uint32_t buffer_count) { free_->Grow(buffer_count); }

  // Refuses further leases. One that is being acquired meanwhile may still succeed.
  void Close();
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  // For reports: true when given, and linear in the number of buffers.
  uint32_t LeasedCount() const;  // buffers that are not free
  uint32_t HeldCount() const;    // buffers of leases that are released and still held
  uint32_t buffer_count() const { return free_->buffer_count(); }
  uint32_t buffer_count_max() const { return free_->buffer_count_max(); }

 private:
  friend class LeaseTablePeer;  // tests: sets generations, which would take hours to count up

  // Of the lease that begins at this buffer. Zero is the state of a buffer that was never leased.
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
