// BufferTable: the fixed-buffer table of one ring, from the side of those who put memory into it.
//
// It joins a ring's engine (the kernel's table) and a SlotTable (which slots are taken), and keeps
// each slab alive until the kernel has said, by the tag of its slot, that it let go of the pages.
// It outlives its ring: after Detach it holds no engine, and pins nothing.
//
// Lifecycle: Pin takes a slot and has the kernel pin a range; Clone takes one and fills it with
// what another ring of the process has pinned; Unpin clears it with UPDATE, never with UNREGISTER,
// which waits for operations in flight up to 6.12 and deadlocks on 6.1 with DEFER_TASKRUN. Unpin is
// for slots that no operation in flight names: from 6.16 on the kernel looks a slot up when the
// operation is issued, not when it is submitted. Where UPDATE is not for the calling thread (a ring
// with an owner), Unpin is left for the owner's next RunDeferred.
//
// A clone has no tag: the kernel gives it a node of its own, with tag 0 (seen on 6.18). Its slab is
// let go as soon as the slot is cleared, which is as good: on kernels that can clone (6.13)
// clearing a slot that no operation names drops the clone at once, and the other ring's tag tells
// of that ring's slot alone.
//
// Before 5.13 the table can only be registered whole (whole_table.h), and only while its ring is
// quiet (ring_quiescer.h): at other times Pin answers EBUSY, and Unpin is left for a RunDeferred in
// a quiet moment. If a change goes wrong so that nothing could be put back, all that was pinned is
// let go, and Holds tells.
//
// Without tags (UPDATE came with them, in 5.13, so only where something hides them) a slab is let
// go when its slot has been cleared. That is safe because Unpin comes after the last event of the
// last operation that named the slot: nothing is left that could write. The kernel may keep the
// pages themselves a second longer (up to 6.3); it will not touch them.
//
// Threading: any thread, but for the engine's own rule about owners. Two locks: `update_mutex_` is
// held over the system call and keeps updates in order; `mutex_` guards the bookkeeping and is
// never held over a system call. AskForBuffers writes to eventfds without a lock, and Detach waits
// until no thread does so. The quiescer is asked, and told of losses, under `update_mutex_`.
#ifndef MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
#define MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/engine/engine.h"
#include "cpp/engine/provided_ring.h"
#include "cpp/os/process.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/registration/pin_directory.h"
#include "cpp/registration/ring_quiescer.h"
#include "cpp/registration/slot_table.h"
#include "cpp/registration/whole_table.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class BufferTable : public RefCounted<BufferTable> {
 public:
  // A range that was pinned, by the key that Unpin takes. `slot` is what requests name.
  struct Pinned {
    int32_t slot = kNoBufferSlot;
    uint64_t key = 0;
    int error =
        0;  // positive errno when slot is kNoBufferSlot; ENOSPC: the table is full; EBUSY: not now
    uint64_t size = 0;      // of what is pinned
    bool is_clone = false;  // of what another ring has pinned
  };

  // Keeps `engine` and `quiescer` until Detach. Without a quiescer the ring counts as quiet at all
  // times.
  explicit BufferTable(Engine* engine, RingQuiescer* quiescer = nullptr);

  // A part of a slab, and what pinning it costs of memlock, for the ledger.
  struct Range {
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t charge_bytes = 0;
  };

  // Puts [base + offset, + size) of `slab` into a slot. `charge_bytes` as in Range.
  Pinned Pin(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size, uint64_t charge_bytes);
  // Puts the range, or with kPrefix the longest prefix of it that there is, into a slot without
  // pinning it again. ENOENT: no other ring of this process has it pinned, or the kernel will not
  // clone it from there.
  Pinned Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size, PinDirectory::Match match);
  // Where changes_whole: puts all of `ranges`, each into a slot of its own, or none of them. False:
  // each has the error.
  bool PinTogether(const RefPtr<Slab>& slab, std::span<const Range> ranges,
                   std::span<Pinned> out_pinned);
  // Clears the slots of `keys`. The slab follows when the tags come back.
  void Unpin(std::span<const uint64_t> keys);
  // False once what Pin put there was lost, or unpinned.
  bool Holds(uint64_t key) const;
  // The errno of the last loss, 0 if there was none.
  int loss_error() const { return loss_error_.load(std::memory_order_relaxed); }
  // Changes need a quiet ring.
  bool changes_whole() const { return changes_whole_; }
  uint32_t slot_count_max() const {
    return changes_whole_ ? WholeTable::kSlotCountMax : SlotTable::kSlotCountMax;
  }
  // Work that other threads left to the owner: to clear slots, which RunDeferred does, and to
  // promote registrations, which is for those who know them.
  bool has_deferred() const { return has_deferred_.load(std::memory_order_acquire); }
  void RunDeferred();
  void AskForPromotion();
  // True once for any number of questions. After RunDeferred.
  bool TakePromotionAsked() { return promotion_asked_.exchange(false, std::memory_order_acq_rel); }
  // A buffer that operations of the ring wait for may be free: the ring's next call, or the one
  // that waits, looks.
  void AskForBuffers();
  // As TakePromotionAsked.
  bool TakeBuffersAsked() { return buffers_asked_.exchange(false, std::memory_order_acq_rel); }

  // As Engine's; -EBADF without one.
  int CreateProvidedRing(uint32_t entry_count, std::unique_ptr<ProvidedRing>* out_ring);
  // The kernel forgets `ring`, if there is still an engine and this thread may tell it.
  void RemoveProvidedRing(ProvidedRing& ring);

  // A tag came back (an event whose token has kBufferTagBit).
  void OnTag(uint64_t token);

  // The ring is going: the whole table is given back. No request that names a slot may be in
  // flight.
  void Detach();

  // The engine and what it reported stay readable until Detach; the copy of its info for ever.
  const EngineInfo& engine_info() const { return info_; }
  bool attached() const { return attached_.load(std::memory_order_acquire); }
  // The ring is closed: it still has what it pinned, and pins nothing more.
  void Close() { closed_.store(true, std::memory_order_release); }
  bool open() const { return !closed_.load(std::memory_order_acquire) && attached(); }
  // True in a forked child, where the locks may be held for ever and the engine is not ours.
  bool Forked() const { return process_ != CurrentProcess(); }
  bool IsOwner() const;
  // Slots cleared whose tags have not come back yet.
  uint32_t awaited_tags() const;

 private:
  friend class RefCounted<BufferTable>;
  ~BufferTable();

  enum class State : uint8_t { kFree, kPinned, kDeferred, kAwaitingTag };
  struct Entry {
    RefPtr<Slab> slab;
    uint64_t offset = 0;
    uint64_t size = 0;
    RefPtr<PinCharge> charge;
    uint32_t slot = 0;
    uint32_t generation = 0;
    State state = State::kFree;
    bool has_tag = false;  // the kernel will say when it let go

    PinDirectory::Range range() const { return {slab.get(), offset, size}; }
  };

  // Takes a slot and a key for a range that is about to be pinned; false, with the error, when that
  // cannot be.
  bool BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag, Pinned* pinned)
      REQUIRES(update_mutex_);
  // The kernel holds [offset, offset + pinned->size) in the slot, at the cost of `charge`.
  void EndPin(RefPtr<PinCharge> charge, Pinned* pinned) REQUIRES(update_mutex_);
  void AbandonPin(int error, Pinned* pinned) REQUIRES(update_mutex_);
  // Returns the slab so that its last reference is dropped outside the lock.
  RefPtr<Slab> FreeEntry(uint32_t index) REQUIRES(mutex_);
  // Frees an entry and its slot; what it held goes to `dropped`, for after the locks.
  void LetGo(uint32_t index, std::vector<Entry>* dropped) REQUIRES(mutex_);
  // 0, or a positive errno.
  int Fill(const Pinned& pinned, const iovec& range) REQUIRES(update_mutex_);
  void ClearSlot(uint32_t index) EXCLUDES(update_mutex_);
  // Clears the slots of all deferred entries at once, where changes_whole, if the ring is quiet.
  void TryClearWhole() EXCLUDES(update_mutex_);
  void ClearWhole(std::vector<Entry>* dropped) REQUIRES(update_mutex_);
  // Nothing is registered any more.
  void LoseAll(int error, std::vector<Entry>* dropped) REQUIRES(update_mutex_);
  RingQuiescer* quiescer_if_needed() const {
    return changes_whole_ && attached() ? quiescer_ : nullptr;
  }
  uint64_t KeyOf(uint32_t index) const REQUIRES(mutex_) {
    return uint64_t{entries_[index].generation} << 32 | index;
  }
  // Calls Wake or Alert of the engine, if there is still one, without a lock.
  void SignalEngine(void (Engine::*signal)()) EXCLUDES(mutex_);
  bool HoldsLocked(uint64_t key) const REQUIRES(mutex_) {
    const uint32_t index = static_cast<uint32_t>(key);
    return index < entries_.size() && entries_[index].state == State::kPinned &&
           KeyOf(index) == key;
  }
  bool has_tags() const { return (info_.features & kFeatureBufferTags) != 0; }

  const ProcessToken process_ = CurrentProcess();
  Engine* engine_;
  RingQuiescer* const quiescer_;
  const EngineInfo info_;
  const bool changes_whole_;
  std::atomic<bool> attached_{true};
  std::atomic<bool> closed_{false};
  std::atomic<bool> has_deferred_{false};
  std::atomic<bool> promotion_asked_{false};
  std::atomic<bool> buffers_asked_{false};
  std::atomic<int> loss_error_{0};
  std::atomic<uint32_t> signals_{0};  // threads inside SignalEngine
  Mutex update_mutex_;
  std::optional<WholeTable> whole_ GUARDED_BY(update_mutex_);
  mutable Mutex mutex_;
  SlotTable slots_ GUARDED_BY(mutex_);
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
