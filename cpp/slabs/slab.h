// Slab: one contiguous, page-aligned range of memory, split into equal buffers that are leased.
//
// It contains memory and bookkeeping, and knows no ring and no file. Each user that lets the kernel
// access the memory (a registration, an operation) holds a reference (RefPtr<Slab>). The pages are
// unmapped when the last reference is dropped, so the memory outlives the kernel's use of it.
//
// Lifecycle: Create, Adopt or Import; the last RefPtr destroys it. In a fork child, destruction
// does not change the parent's memory.
//
// Threading: any thread. Acquire, Hold, Data and the getters are lock-free and allocate nothing,
// also while the slab grows. So are Release and Unhold while no watcher waits (Watch); otherwise
// they lock a mutex for a short time and call the watchers without it. Two locks: `growth_mutex()`
// is held during a whole growth, and is taken before all others there; `info_mutex_` is never held
// while pages are mapped or prefaulted.
//
//   ASSIGN_OR_RETURN(RefPtr<Slab> slab, Slab::Create({.buffer_bytes = 4096, .buffer_count = 64}));
//   Lease lease;
//   RETURN_IF_ERROR(slab->Acquire(1, &lease));
//   std::byte* bytes = slab->Data(lease);
//   RETURN_IF_ERROR(slab->Release(lease));
#ifndef MOORING_CPP_SLABS_SLAB_H_
#define MOORING_CPP_SLABS_SLAB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cpp/base/ref_counted.h"
#include "cpp/base/result.h"
#include "cpp/base/status.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/slabs/buffer_watch.h"
#include "cpp/slabs/lease.h"
#include "cpp/slabs/slab_options.h"

namespace mooring {

struct SlabInfo {
  bool adopted = false;
  std::byte* data = nullptr;
  uint64_t total_bytes = 0;
  uint64_t buffer_bytes = 0;
  uint64_t buffer_count = 0;
  uint64_t buffer_count_max = 0;  // equals buffer_count if the slab cannot grow
  uint64_t page_bytes = 0;
  uint64_t huge_page_total_bytes = 0;
  uint64_t touched_bytes = 0;
  PageKind page_kind = PageKind::kOrdinary;
  int32_t numa_node = -1;
  uint64_t leased_count = 0;
  uint64_t held_count = 0;
  uint64_t reference_count = 0;  // all references, including the owner's
  std::string note;
};

class LeaseTable;
class SlabMemory;

class Slab : public RefCounted<Slab> {
 public:
  static constexpr uint64_t kBufferCountMax = uint64_t{1} << 24;

  // Errors: mooring_slab_create, mooring_slab_adopt and mooring_slab_import (mooring/slab.h).
  static Result<RefPtr<Slab>> Create(const SlabOptions& options);
  static Result<RefPtr<Slab>> Adopt(void* data, uint64_t size_bytes, const SlabOptions& options);
  static Result<RefPtr<Slab>> Import(int descriptor, uint64_t offset_bytes, uint64_t size_bytes,
                                     const SlabOptions& options);

  // Leases the lowest free run. Constant errors: EXHAUSTED (no such run was free at one moment of
  // the call; free_bitmap.h has the exact rule while other threads release), INVALID_ARGUMENT, and
  // INVALID_STATE after Close.
  Status Acquire(uint32_t buffer_count, Lease* out_lease);
  // Constant error INVALID_STATE if the lease is stale, or if `lease.buffer_count` is not the one
  // that was acquired.
  Status Release(const Lease& lease);

  // For operations: the buffers of the lease stay leased until Unhold, even if the lease is
  // released. Returns the number of buffers in the run; 0 if the lease is stale, released, or has
  // 2^20 - 1 holds.
  uint32_t Hold(uint32_t first_index, uint32_t generation);
  // Drops one hold. The last Unhold of a released lease frees its buffers.
  void Unhold(uint32_t first_index);

  // First byte of a lease; null if it is stale or released. Null also for a released lease that an
  // operation holds: the operation computes its address from base(). With generation 0: the first
  // byte of buffer first_index, null past the end.
  std::byte* Data(const Lease& lease) const;
  std::byte* base() const { return base_; }
  // Both load with acquire, so a thread that reads a new size sees all that was done for the new
  // bytes before PublishGrowth.
  uint64_t total_bytes() const { return total_bytes_.load(std::memory_order_acquire); }
  uint64_t buffer_count() const { return buffer_count_.load(std::memory_order_acquire); }
  uint64_t buffer_bytes() const { return buffer_bytes_; }
  bool adopted() const { return adopted_; }
  // The most RLIMIT_MEMLOCK that one pinned byte can cost: the size of a huge page if the slab has
  // huge pages or may get them later, as far as known at creation.
  uint64_t page_bytes() const { return page_bytes_; }

  // Notifies `watcher` once when a buffer may be free (buffer_watch.h): Release, Unhold and
  // NotifyWatchers do so on their thread, before they return.
  void Watch(BufferWatcher* watcher) { watch_.Add(watcher); }
  void Unwatch(BufferWatcher* watcher) { watch_.Remove(watcher); }
  void NotifyWatchers() EXCLUDES(growth_mutex_) {
    if (watch_.any()) [[unlikely]]
      watch_.Notify();
  }

  // Growth in steps. Between the steps, registrations add the new bytes. total_bytes() does not
  // change while another thread holds the lock.
  Mutex& growth_mutex() RETURN_CAPABILITY(growth_mutex_) { return growth_mutex_; }
  // Commits pages for `buffer_count` more buffers at the end, all or none, and returns the new
  // value of total_bytes(). Errors: mooring_slab_grow. After success, PublishGrowth or
  // DiscardGrowth follows.
  Result<uint64_t> PrepareGrowth(uint64_t buffer_count) REQUIRES(growth_mutex_);
  // Adds the buffers to the slab; before this, they cannot be leased. After it, the caller unlocks
  // the mutex and calls NotifyWatchers.
  void PublishGrowth() REQUIRES(growth_mutex_);
  // Releases the pages. No operation has used them, so nothing writes to them, even if a slot still
  // pins them.
  void DiscardGrowth() REQUIRES(growth_mutex_);

  // Rejects further leases and growth. A concurrent Acquire may still succeed.
  void Close();

  // Makes system calls, reads /proc and visits every lease: not for the data path.
  SlabInfo Info() const;

 private:
  friend class RefCounted<Slab>;
  template <typename T, typename... Args>
  friend RefPtr<T> MakeRef(Args&&... args);

  Slab(std::unique_ptr<SlabMemory> memory, std::unique_ptr<LeaseTable> leases,
       uint64_t buffer_bytes, uint64_t buffer_count);
  ~Slab();

  const std::unique_ptr<SlabMemory> memory_;
  const std::unique_ptr<LeaseTable> leases_;
  BufferWatch watch_;
  std::byte* const base_;
  std::atomic<uint64_t> total_bytes_;
  std::atomic<uint64_t> buffer_count_;
  const uint64_t buffer_bytes_;
  const uint64_t page_bytes_;
  const bool adopted_;
  Mutex growth_mutex_;
  uint64_t growth_count_ GUARDED_BY(growth_mutex_) = 0;  // prepared buffers
  mutable Mutex info_mutex_;  // Info reads memory_ and leases_ between two growths
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_H_
