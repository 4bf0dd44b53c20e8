// Registration: a slab made nameable by a ring, pinned as far as the ladder got, and the report of
// how far that was.
//
// It is cut into extents of up to 1 GiB, the kernel's limit for one slot (measured, 5.10 to 7.0).
// An extent is pinned whole, or not at all; where a prefix fitted, the extent is split in two.
// Extents are in order and cover the slab.
//
// Lifecycle: reference counted. The owner holds one reference and every operation in flight one;
// the slots are cleared when the last goes, because a slot is busy from the moment a request names
// it to that request's last event.
//
// What could not be pinned for want of memlock waits, in the RegistrationRegistry, for budget that
// this process gives back; and what could not because operations were in flight, where that is a
// reason, for a moment when none is.
//
// When the slab grows, extents for the new bytes are added behind the others, which stay as they
// are: a range across the seam is in no extent, and takes the copy path.
//
// Threading: any thread. SlotFor reads a map that is replaced and never changed; replaced ones stay
// until the end, for a submission may be reading. There are no more of them than there were
// growths, and promotions that won something. Locks, in the order in which they are taken: the
// slab's growth mutex, under which a registration enters the list and learns how large the slab is;
// promote_mutex_; the table's.
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

  // Tries again to pin what is not. What is pinned stays as it is, so operations in flight are not
  // disturbed. Of a ring with an owner that is another thread, this is left to the owner's next
  // call.
  Status Promote();
  // Promote without pauses, for what waits for memlock; for all that is not pinned if the owner was
  // asked for that.
  void Wake();
  // Growth of the slab (slab_growth.h), whose growth lock the caller holds. True when Grow could
  // not keep to REQUIRE here, as only the owner of the ring, another thread, may pin.
  bool GrowthIsRefused() const;
  // Covers the slab up to `total_bytes`, as the policy says. Of a ring that has an owner, another
  // thread, what can be pinned is left to its next call. An error (REQUIRE) has changed nothing.
  Status Grow(uint64_t total_bytes) EXCLUDES(promote_mutex_);
  // Undoes it, before any operation could name the bytes from `total_bytes` on.
  void Shrink(uint64_t total_bytes) EXCLUDES(promote_mutex_);
  // The table has lost pins: what was pinned there takes the copy path from now on, and may be
  // promoted. While no operation can be submitted.
  void DropLost() EXCLUDES(mutex_);
  // Wake has something to try.
  bool waits() const {
    return waits_.load(std::memory_order_relaxed) || asked_.load(std::memory_order_relaxed);
  }
  // Nobody will submit with it any more: it need not be woken.
  void GiveUp() { given_up_.store(true, std::memory_order_relaxed); }

  // Null where none were asked for, or the kernel cannot have them: provided_error then says why.
  ProvidedBuffers* provided() const { return provided_.get(); }
  int provided_error() const { return provided_error_; }
  // No buffer of the slab is free for an operation of the ring: when one may be, the ring is told.
  // Look once more after this.
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
  enum class Which : uint8_t { kAll, kWaiting };

  // By another thread than the owner: to do at the next call what Promote does.
  void AskOwner();
  // What was not pinned because of the thread or the moment shall be.
  void AskLater(const PinnedPrefix& stopped);
  // Learns how large the slab is, and is known where it grows. An error is of REQUIRE.
  Status Enlist();
  // [begin, end) of the slab, where an extent begins.
  std::vector<Extent> CutIntoExtents(uint64_t begin, uint64_t end) const;
  // Why nothing at all can be pinned, for PinExtent; Reason::kNone if something may be.
  PinnedPrefix Obstacle() const;
  // Pins those extents that have no slot, splitting where only a prefix fits.
  void PinExtents(Which which, Effort effort) EXCLUDES(promote_mutex_) EXCLUDES(mutex_);
  void PinExtentsLocked(Which which, Effort effort) REQUIRES(promote_mutex_) EXCLUDES(mutex_);
  // Those of `extents` that are wanted and have no slot, at once, if there are several.
  static void PinTogether(PinLadder& ladder, Which which, std::vector<Extent>* extents);
  // Publishes what is true of `extents`, if that is news.
  void Publish(std::vector<Extent> extents) EXCLUDES(mutex_);
  void PublishLocked(std::vector<Extent> extents) REQUIRES(mutex_);
  static bool Waits(const Extent& extent) {
    return extent.reason == Reason::kMemlockLimit || IsBusy(extent.reason, extent.system_error);
  }
  // Appends what becomes of `extent`. Pins nothing where `*stopped` has a reason; else notes there
  // why the rest may stop.
  static void PinExtent(PinLadder& ladder, Extent extent, PinnedPrefix* stopped,
                        std::vector<Extent>* extents);
  RegistrationReport MakeReport(const std::vector<Extent>& extents) const;
  RegistrationReport ReportOf(const std::vector<Extent>& extents) const;
  void Unpin(const std::vector<Extent>& extents, uint64_t from_offset);
  bool is_dead() const { return given_up_.load(std::memory_order_relaxed) || !table_->open(); }

  const RefPtr<BufferTable> table_;
  const RefPtr<Slab> slab_;
  const RegistrationOptions options_;
  const RefPtr<BufferWatcher> watcher_;
  std::unique_ptr<ProvidedBuffers> provided_;
  int provided_error_ = 0;
  std::atomic<const SlotMap*> map_{nullptr};
  std::atomic<bool> waits_{false};  // for memlock or a quiet ring, in part at least
  std::atomic<bool> asked_{false};  // the owner was, by AskOwner
  std::atomic<bool> given_up_{false};
  Mutex promote_mutex_;  // held over the system calls of one promotion
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<const SlotMap>> maps_
      GUARDED_BY(mutex_);  // the last is the one in force
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REGISTRATION_H_
