// Registration: a slab made nameable by a ring, pinned as far as the ladder got, and the report of how far that was.
//
// It is cut into extents of up to 1 GiB, the kernel's limit for one slot (measured, 5.10 to 7.0). An extent is pinned
// whole, or not at all; where a prefix fitted, the extent is split in two. Extents are in order and cover the slab.
//
// Lifecycle: reference counted. The owner holds one reference and every operation in flight one; the slots are cleared
// when the last goes, because a slot is busy from the moment a request names it to that request's last event.
//
// Threading: SlotFor is for the ring's submission side, and so is Promote; Report takes any thread.
#ifndef MOORING_CPP_REGISTRATION_REGISTRATION_H_
#define MOORING_CPP_REGISTRATION_REGISTRATION_H_

#include <cstdint>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/result.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/report.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class PinLadder;
struct PinnedPrefix;

struct RegistrationOptions {
  Policy policy = Policy::kPrefer;
  bool raise_memlock = false;
  uint64_t extent_bytes_max = 0;  // a multiple of the page size; 0 = 1 GiB
};

struct Extent {
  uint64_t offset = 0;
  uint64_t size = 0;
  int32_t slot = kNoBufferSlot;
  uint32_t key = 0;  // of BufferTable::Pinned, while slot is one
  bool is_clone = false;
  Reason reason = Reason::kNone;
  int32_t system_error = 0;
};

class Registration : public RefCounted<Registration> {
 public:
  static constexpr uint64_t kExtentBytesMax = uint64_t{1} << 30;

  static Result<RefPtr<Registration>> Create(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                                             const RegistrationOptions& options);

  // The slot that holds all of [offset, offset + size) of the slab, or kNoBufferSlot: then it takes the copy path.
  int32_t SlotFor(uint64_t offset, uint64_t size) const {
    const Extent& first = extents_.front();
    if (offset + size <= first.size) return first.slot;
    return SlotForSlow(offset, size);
  }

  // Tries again to pin what is not. What is pinned stays as it is, so operations in flight are not disturbed.
  Status Promote();

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

  int32_t SlotForSlow(uint64_t offset, uint64_t size) const;
  void CutIntoExtents();
  // Pins every extent that has no slot, splitting where only a prefix fits.
  void PinExtents();
  // Appends what becomes of `extent`. Pins nothing where `*stopped` has a reason; else notes there why the rest may stop.
  static void PinExtent(PinLadder& ladder, Extent extent, PinnedPrefix* stopped, std::vector<Extent>* extents);
  RegistrationReport MakeReport() const REQUIRES(mutex_);

  const RefPtr<BufferTable> table_;
  const RefPtr<Slab> slab_;
  const RegistrationOptions options_;
  mutable Mutex mutex_;  // Report against Promote. The submission side, which alone changes extents_, reads without it.
  std::vector<Extent> extents_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REGISTRATION_H_
