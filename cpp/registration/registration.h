// Registration: a slab that operations of one ring can use. It is pinned as far as the ladder could
// pin it, and its report says how far that is.
//
// It is cut into extents of up to 1 GiB, the kernel's limit for one slot (measured, 5.10 to 7.0).
// An extent is pinned completely or not at all: if a prefix fits, the extent is split in two.
// Extents are in order and cover the slab.
//
// Lifecycle: reference counted. The caller holds one reference, and so does every operation in
// flight. The slots are cleared when the last reference is dropped, because a slot is busy from the
// time when a request names it to that request's last event.
//
// An extent that lacks memlock is retryable: the RegistrationRegistry tries it again when this
// process releases budget. So is an extent that the table refused for now: the ring tries it again
// when the table takes changes.
//
// When the slab grows, extents for the new bytes are added after the others, which do not change. A
// range that crosses from an old extent to a new one is in no extent, and takes the copy path.
//
// Threading: any thread. SlotFor reads a map that is replaced and never changed. Replaced maps stay
// until the registration is destroyed, because a submission may be reading one. There are at most
// as many as growths, plus promotions that pinned something. Locks, in the order in which they are
// taken: the slab's growth mutex, under which a registration enters the registry and reads the size
// of the slab; promote_mutex_; the table's locks.
#ifndef MOORING_CPP_REGISTRATION_REGISTRATION_H_
#define MOORING_CPP_REGISTRATION_REGISTRATION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/result.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/pin_ladder.h"
#include "cpp/registration/provided_buffers.h"
#include "cpp/registration/report.h"
#include "cpp/slabs/buffer_watch.h"
#include "cpp/slabs/slab.h"

namespace mooring {

struct RegistrationOptions {
  Policy policy = Policy::kPrefer;
  bool raise_memlock = false;
  uint64_t extent_bytes_max = 0;  // a multiple of the page size; 0 = 1 GiB
  uint32_t provided_buffer_count = 0;
};

struct Extent {
  uint64_t offset = 0;
  uint64_t size = 0;
  int32_t slot = kNoBufferSlot;
  uint64_t key = 0;  // of BufferTable::Pinned, while slot is one
  bool is_clone = false;
  Reason reason = Reason::kNone;
  int32_t system_error = 0;

  bool operator==(const Extent&) const = default;
  void SetPinned(const BufferTable::Pinned& pinned) {
    slot = pinned.slot;
    key = pinned.key;
    is_clone = pinned.is_clone;
    reason = Reason::kNone;
    system_error = 0;
  }
};

class Registration : public RefCounted<Registration> {
 public:
  static constexpr uint64_t kExtentBytesMax = uint64_t{1} << 30;

  static Result<RefPtr<Registration>> Create(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                                             const RegistrationOptions& options);

  // The slot that holds all of [offset, offset + size) of the slab, or kNoBufferSlot: then it takes
  // the copy path.
  int32_t SlotFor(uint64_t offset, uint64_t size) const {
    const SlotMap& map = *map_.load(std::memory_order_acquire);
    if (offset + size <= map.first_size) return map.first_slot;
    return map.Find(offset, size);
  }

  // Tries again to pin the extents that are not pinned. Pinned ones do not change, so operations in
  // flight are not disturbed. If the ring's owner is another thread, the owner's next call does it.
  Status Promote();
  // Promote without pauses, for retryable extents only. If the owner was requested to promote: for
  // all extents that are not pinned.
  void PromoteRetryable();
  // Growth of the slab (slab_growth.h), whose growth lock the caller holds. True when Grow cannot
  // satisfy REQUIRE on this thread, because only the owner of the ring, another thread, may pin.
  bool GrowthIsRefused() const;
  // Covers the slab up to `total_bytes`, according to the policy. If the ring's owner is another
  // thread, the owner's next call pins the new extents. After an error (REQUIRE) nothing has
  // changed.
  Status Grow(uint64_t total_bytes) EXCLUDES(promote_mutex_);
  // Undoes it, before any operation could name the bytes from `total_bytes` on.
  void Shrink(uint64_t total_bytes) EXCLUDES(promote_mutex_);
  // The table has lost pins (BufferTable::loss_error). Their extents take the copy path from now
  // on, and may be promoted. While no operation can be submitted.
  void InvalidateLostPins() EXCLUDES(mutex_);
  // PromoteRetryable has something to try.
  bool wants_retry() const {
    return has_retryable_.load(std::memory_order_relaxed) ||
           owner_requested_.load(std::memory_order_relaxed);
  }
  // The caller has destroyed it: no submission will name it, so it is not promoted any more.
  void MarkDestroyed() { is_destroyed_.store(true, std::memory_order_relaxed); }

  // Null where none were requested, or where the kernel has refused them with provided_error.
  ProvidedBuffers* provided() const { return provided_.get(); }
  int provided_error() const { return provided_error_; }
  // No buffer of the slab is free for an operation of the ring. When one may be free, the ring gets
  // RequestBufferCheck. Try once more after this call.
  void WatchForBuffers() { slab_->Watch(watcher_.get()); }

  Policy policy() const { return options_.policy; }
  Slab& slab() const { return *slab_; }
  const BufferTable& table() const { return *table_; }
  RefPtr<BufferTable> table_reference() const { return table_; }

  RegistrationReport Report() const;
  // False when there is no such extent.
  bool ExtentAt(uint32_t index, Extent* out_extent) const;

 private:
  friend class RefCounted<Registration>;
  template <typename T, typename... Args>
  friend RefPtr<T> MakeRef(Args&&... args);

  Registration(RefPtr<BufferTable> table, RefPtr<Slab> slab, const RegistrationOptions& options);
  ~Registration();

  // The extents as the submission side sees them.
  struct SlotMap {
    uint64_t first_size = 0;
    int32_t first_slot = kNoBufferSlot;
    std::vector<Extent> extents;

    int32_t Find(uint64_t offset, uint64_t size) const;
  };
  enum class Which : uint8_t { kAll, kRetryable };

  // On a thread that is not the owner: the owner's next call promotes.
  void RequestPromotionByOwner();
  // A later call pins what could not be pinned on this thread or at this time.
  void RequestRetry(const PinnedPrefix& stopped);
  // Reads the size of the slab and enters the registry, so that growths reach it. An error is one
  // of REQUIRE.
  Status AddToRegistry();
  // For [begin, end) of the slab, with an extent that begins at `begin`.
  std::vector<Extent> CutIntoExtents(uint64_t begin, uint64_t end) const;
  // The reason why nothing can be pinned, for PinExtent; Reason::kNone if there is none.
  PinnedPrefix Blocker() const;
  // Pins those extents that have no slot, splitting where only a prefix fits.
  void PinExtents(Which which, Effort effort) EXCLUDES(promote_mutex_) EXCLUDES(mutex_);
  void PinExtentsLocked(Which which, Effort effort) REQUIRES(promote_mutex_) EXCLUDES(mutex_);
  // Pins those of `extents` that are wanted and have no slot in one call, if there are several.
  static void PinTogether(PinLadder& ladder, Which which, std::vector<Extent>* extents);
  // Publishes `extents`, less lost pins, if they differ from those in force.
  void Publish(std::vector<Extent> extents) EXCLUDES(mutex_);
  void PublishLocked(std::vector<Extent> extents) REQUIRES(mutex_);
  static bool IsRetryable(const Extent& extent) {
    return extent.reason == Reason::kMemlockLimit ||
           IsRefusedForNow(extent.reason, extent.system_error);
  }
  // Appends `extent`, or the parts into which pinning has split it. Pins nothing where `*stopped`
  // has a reason. Otherwise sets the reason if it applies to further extents too.
  static void PinExtent(PinLadder& ladder, Extent extent, PinnedPrefix* stopped,
                        std::vector<Extent>* extents);
  RegistrationReport MakeReport(const std::vector<Extent>& extents) const;
  RegistrationReport ReportOf(const std::vector<Extent>& extents) const;
  void Unpin(const std::vector<Extent>& extents, uint64_t from_offset);
  bool is_unusable() const {
    return is_destroyed_.load(std::memory_order_relaxed) || !table_->open();
  }

  const RefPtr<BufferTable> table_;
  const RefPtr<Slab> slab_;
  const RegistrationOptions options_;
  const RefPtr<BufferWatcher> watcher_;
  std::unique_ptr<ProvidedBuffers> provided_;
  int provided_error_ = 0;
  std::atomic<const SlotMap*> map_{nullptr};
  std::atomic<bool> has_retryable_{false};    // at least one extent is retryable
  std::atomic<bool> owner_requested_{false};  // by RequestPromotionByOwner, and not done yet
  std::atomic<bool> is_destroyed_{false};
  Mutex promote_mutex_;  // held over the system calls of one promotion
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<const SlotMap>> maps_
      GUARDED_BY(mutex_);  // the last is the one in force
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REGISTRATION_H_
