// Slab: one contiguous, page-aligned range of memory, split into equal buffers and handed out as
// leases.
//
// It is memory and bookkeeping; it knows no ring and no file. Whoever lets the kernel use the
// memory (a registration, an operation) holds a reference (RefPtr<Slab>), and the pages are
// unmapped when the last one is dropped: that is how memory outlives the kernel's use of it.
//
// Lifecycle: Create, Adopt or Import; the last RefPtr destroys it. In a fork child that leaves the
// parent's memory alone.
//
// Threading: any thread. Acquire, Release, Hold, Unhold, Data and the getters are lock-free and
// allocate nothing, also while the slab grows. Two locks: `growth_mutex()` is held over a whole
// growth, and is the first of all that are taken there; `info_mutex_` is never held over the
// mapping and touching of pages.
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
  uint64_t buffer_count_max = 0;  // buffer_count where the slab cannot grow
  uint64_t page_bytes = 0;
  uint64_t huge_page_total_bytes = 0;
  uint64_t touched_bytes = 0;
  PageKind page_kind = PageKind::kOrdinary;
  int32_t numa_node = -1;
  uint64_t leased_count = 0;
  uint64_t held_count = 0;
  uint64_t reference_count = 0;  // all references, the owner's included
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

  // Leases the lowest run that is free. Constants EXHAUSTED (at one moment of the call no such run
  // was free: free_bitmap.h says how far that holds while others release), INVALID_ARGUMENT, and
  // INVALID_STATE once closed.
  Status Acquire(uint32_t buffer_count, Lease* out_lease);
  // Constant INVALID_STATE when stale, or when `lease.buffer_count` is not that of the lease.
  Status Release(const Lease& lease);

  // For operations: keeps a lease's buffers out, even if they are released, until Unhold. Returns
  // the number of buffers in the run, or 0 if the lease is stale, released already, or has
  // 2^20 - 1 holds.
  uint32_t Hold(uint32_t first_index, uint32_t generation);
  // Drops one hold; the last one gives a released run back to the slab.
  void Unhold(uint32_t first_index);

  // First byte of a lease; null if it is stale or released, also while it is held: an operation
  // that holds it counts from base(). With generation 0, first byte of buffer first_index, null
  // past the end.
  std::byte* Data(const Lease& lease) const;
  std::byte* base() const { return base_; }
  // Acquire, both: what was done for bytes that have just been added (PublishGrowth) comes before.
  uint64_t total_bytes() const { return total_bytes_.load(std::memory_order_acquire); }
  uint64_t buffer_count() const { return buffer_count_.load(std::memory_order_acquire); }
  uint64_t buffer_bytes() const { return buffer_bytes_; }
  bool adopted() const { return adopted_; }
  // What one pinned byte can cost of memlock: the size of huge pages where the slab has any, or may
  // come to have, as far as was known when it was made.
  uint64_t page_bytes() const { return page_bytes_; }

  // Notifies `watcher` once when a buffer may be free (buffer_watch.h): Release, Unhold and
  // NotifyWatchers do so on their thread, before they return.
  void Watch(BufferWatcher* watcher) { watch_.Add(watcher); }
  void Unwatch(BufferWatcher* watcher) { watch_.Remove(watcher); }
  void NotifyWatchers() EXCLUDES(growth_mutex_) {
    if (watch_.any()) [[unlikely]]
      watch_.Notify();
  }

  // Growth, in steps, so that those who make the slab's bytes nameable can take the new ones in
  // between. While the lock is held total_bytes() stays as it is.
  Mutex& growth_mutex() RETURN_CAPABILITY(growth_mutex_) { return growth_mutex_; }
  // Has pages for that many buffers more at the end, all or none, and returns what total_bytes()
  // will be. Errors: mooring_slab_grow. Publish or Discard follows a success.
  Result<uint64_t> PrepareGrowth(uint64_t buffer_count) REQUIRES(growth_mutex_);
  // Makes the buffers part of the slab, and only then leases of them possible. NotifyWatchers
  // follows, after the lock.
  void PublishGrowth() REQUIRES(growth_mutex_);
  // Gives the pages back. No operation has named them, so whatever pins them still, nobody writes.
  void DiscardGrowth() REQUIRES(growth_mutex_);

  // Refuses further leases, and growth. An Acquire that is under way may still succeed.
  void Close();

  // Makes system calls, reads /proc and looks at every lease: not for the data path.
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
  uint64_t growth_count_ GUARDED_BY(growth_mutex_) = 0;  // of buffers, that are prepared
  mutable Mutex info_mutex_;  // what Info reads of memory_ and leases_ is of one moment of growth
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_H_
