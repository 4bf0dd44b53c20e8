// BufferTable: the fixed-buffer table of one ring, from the side of those who put memory into it.
//
// It joins a ring's engine (the kernel's table) and a SlotTable (which slots are taken), and keeps each slab alive until
// the kernel has said, by the tag of its slot, that it let go of the pages. It outlives its ring: after Detach it holds
// no engine, and pins nothing.
//
// Lifecycle: Pin takes a slot and has the kernel pin a range; Clone takes one and fills it with what another ring of the
// process has pinned; Unpin clears it with UPDATE, never with UNREGISTER, which waits for operations in flight
// up to 6.12 and deadlocks on 6.1 with DEFER_TASKRUN. Unpin is for slots that no operation in flight names: from 6.16 on
// the kernel looks a slot up when the operation is issued, not when it is submitted. Where UPDATE is not for the calling
// thread (a ring with an owner), Unpin is left for the owner's next RunDeferred.
//
// A clone has no tag: the kernel gives it a node of its own, with tag 0 (seen on 6.18). Its slab is let go as soon as the
// slot is cleared, which is as good: on kernels that can clone (6.13) clearing a slot that no operation names drops the
// clone at once, and the other ring's tag tells of that ring's slot alone.
//
// Threading: any thread, but for the engine's own rule about owners. Two locks: `update_mutex_` is held over the system
// call and keeps updates in order; `mutex_` guards the bookkeeping and is never held over a system call, but for the write
// to an eventfd that alerts a reaper, which does not wait.
#ifndef MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
#define MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/fixed_buffers/slot_table.h"
#include "cpp/os/process.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/registration/pin_directory.h"
#include "cpp/ring/engine.h"
#include "cpp/ring/provided_ring.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class BufferTable : public RefCounted<BufferTable> {
 public:
  // A range that was pinned, by the key that Unpin takes. `slot` is what requests name.
  struct Pinned {
    int32_t slot = kNoBufferSlot;
    uint32_t key = 0;
    int error = 0;          // positive errno when slot is kNoBufferSlot; ENOSPC when the table is full
    uint64_t size = 0;      // of what is pinned
    bool is_clone = false;  // of what another ring has pinned
  };

  // Keeps `engine` until Detach.
  explicit BufferTable(Engine* engine);

  // Puts [base + offset, + size) of `slab` into a slot. `charge_bytes` is what that costs of memlock, for the ledger.
  Pinned Pin(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size, uint64_t charge_bytes);
  // Puts the range, or with kPrefix the longest prefix of it that there is, into a slot without pinning it again. ENOENT:
  // no other ring of this process has it pinned, or the kernel will not clone it from there.
  Pinned Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size, PinDirectory::Match match);
  // Clears the slot of `key`. The slab follows when the tag comes back.
  void Unpin(uint32_t key);
  // Work that other threads left to the owner: to clear slots, which RunDeferred does, and to promote registrations,
  // which is for those who know them.
  bool has_deferred() const { return has_deferred_.load(std::memory_order_acquire); }
  void RunDeferred();
  void AskForPromotion() {
    promotion_asked_.store(true, std::memory_order_relaxed);
    has_deferred_.store(true, std::memory_order_release);
  }
  // True once for any number of questions. After RunDeferred.
  bool TakePromotionAsked() { return promotion_asked_.exchange(false, std::memory_order_acq_rel); }
  // A buffer that operations of the ring wait for may be free: the ring's next call, or the one that waits, looks.
  void AskForBuffers();
  // As TakePromotionAsked.
  bool TakeBuffersAsked() { return buffers_asked_.exchange(false, std::memory_order_acq_rel); }

  // As Engine's; EBADF without one.
  std::unique_ptr<ProvidedRing> CreateProvidedRing(uint32_t entry_count, int* out_error);
  // The kernel forgets `ring`, if there is still an engine and this thread may tell it.
  void RemoveProvidedRing(ProvidedRing& ring);

  // A tag came back (an event whose token has kBufferTagBit).
  void OnTag(uint64_t token);

  // The ring is going: the whole table is given back. No request that names a slot may be in flight.
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

  // Takes a slot and a key for a range that is about to be pinned; false, with the error, when that cannot be.
  bool BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag, Pinned* pinned) REQUIRES(update_mutex_);
  // The kernel holds [offset, offset + pinned->size) in the slot, at the cost of `charge`.
  void EndPin(RefPtr<PinCharge> charge, Pinned* pinned) REQUIRES(update_mutex_);
  void AbandonPin(int error, Pinned* pinned) REQUIRES(update_mutex_);
  // Returns the slab so that its last reference is dropped outside the lock.
  RefPtr<Slab> FreeEntry(uint32_t key) REQUIRES(mutex_);
  void ClearSlot(uint32_t key);
  bool has_tags() const { return (info_.features & kFeatureBufferTags) != 0; }

  const ProcessToken process_ = CurrentProcess();
  Engine* engine_;
  const EngineInfo info_;
  std::atomic<bool> attached_{true};
  std::atomic<bool> closed_{false};
  std::atomic<bool> has_deferred_{false};
  std::atomic<bool> promotion_asked_{false};
  std::atomic<bool> buffers_asked_{false};
  Mutex update_mutex_;
  mutable Mutex mutex_;
  SlotTable slots_ GUARDED_BY(mutex_);
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
