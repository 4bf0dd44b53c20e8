// BufferTable: the fixed-buffer table of one ring, for the code that puts memory into it.
//
// It joins the table of the kernel (KernelTable) with a SlotTable (which slots are taken) and the
// entries (what is in them). It keeps each slab alive until the kernel has reported, by the tag of
// the slot, that it has released the pages.
//
// Lifecycle: Pin takes slots and has the kernel pin ranges. Clone takes a slot and fills it with
// what another ring of the process has pinned. Unpin clears slots with UPDATE, never with
// UNREGISTER, which waits for operations in flight up to 6.12 and deadlocks on 6.1 with
// DEFER_TASKRUN. Unpin is for slots that no operation in flight names: from 6.16 on the kernel
// looks a slot up when the operation is issued, not when it is submitted. If the calling thread may
// not change the table (a ring with an owner), or the table refuses the change for now, the next
// RunDeferred that can clears the slots. The table outlives its ring: after Detach it has no
// engine, and pins nothing.
//
// A clone has no tag: the kernel gives it a node of its own, with tag 0 (seen on 6.18). The table
// releases the slab of a clone as soon as the slot is cleared. That is safe: on kernels that can
// clone (6.13), clearing a slot that no operation names drops the clone immediately, and the tag of
// the other ring reports on the slot of that ring alone.
//
// Without tags (UPDATE came with them, in 5.13, so only where something hides them) the table
// releases a slab when its slot has been cleared. That is safe because Unpin comes after the last
// event of the last operation that named the slot: nothing is left that could write. The kernel may
// keep the pages a second longer (up to 6.3), and does not write to them.
//
// If the kernel loses pins (KernelTable), the table releases all that was pinned. IsPinned is false
// then, and the quiescer invalidates the slots that registrations know.
//
// Threading: any thread, but for the engine's own rule about owners. Two locks: `update_mutex_` is
// held over the system call and keeps updates in order. `mutex_` guards the records and is never
// held over a system call. Requests to the ring write to eventfds without a lock, and Detach waits
// until no thread does so. Apply of the kernel's table, and the quiescer's TryQuiesce and
// InvalidateLostPins, are called under `update_mutex_`.
#ifndef MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
#define MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/engine/engine.h"
#include "cpp/engine/provided_ring.h"
#include "cpp/os/process.h"
#include "cpp/registration/kernel_table.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/registration/pin_directory.h"
#include "cpp/registration/pin_entries.h"
#include "cpp/registration/ring_quiescer.h"
#include "cpp/registration/slot_table.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class BufferTable : public RefCounted<BufferTable> {
 public:
  // A range that was pinned, by the key that Unpin takes. `slot` is what requests name.
  struct Pinned {
    int32_t slot = kNoBufferSlot;
    uint64_t key = 0;
    // Positive errno when slot is kNoBufferSlot. ENOSPC: the table is full. EBUSY: the table
    // refuses changes for now.
    int error = 0;
    uint64_t size = 0;      // of what is pinned
    bool is_clone = false;  // of what another ring has pinned
  };
  // A part of a slab, and what pinning it costs of memlock, for the ledger.
  struct Range {
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t charge_bytes = 0;
  };

  // Uses `engine` and `quiescer` until Detach. Without a quiescer the ring counts as quiet at all
  // times.
  explicit BufferTable(Engine* engine, RingQuiescer* quiescer = nullptr);

  // Puts each of `ranges` of `slab` into a slot, and reports on each in `out_pinned`.
  void Pin(const RefPtr<Slab>& slab, std::span<const Range> ranges, std::span<Pinned> out_pinned);
  Pinned Pin(const RefPtr<Slab>& slab, const Range& range);
  // Puts the range, or with kPrefix the longest prefix of it that another ring has, into a slot
  // without pinning it again. ENOENT: no other ring of this process has it pinned, or the kernel
  // does not clone it from there.
  Pinned Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size, PinDirectory::Match match);
  // Clears the slots of `keys`, now or in a later RunDeferred. The slab is released when the tags
  // come back.
  void Unpin(std::span<const uint64_t> keys);
  // False once the range was lost or unpinned.
  bool IsPinned(uint64_t key) const;
  // The errno of the last loss, 0 if there was none.
  int loss_error() const { return loss_error_.load(std::memory_order_relaxed); }
  const KernelTable::Traits& traits() const { return kernel_->traits(); }
  // For a ChangeScope of the ring over several calls. Not after Detach.
  KernelTable& kernel_table() const { return *kernel_; }

  // There is work that other threads or calls have left: slots to clear, which RunDeferred does,
  // and requests for the ring.
  bool has_deferred() const { return has_deferred_.load(std::memory_order_acquire); }
  void RunDeferred();
  // Asks the ring to promote registrations, with RegistrationRegistry::PromoteForOwner.
  void RequestPromotion();
  // True once for any number of requests. After RunDeferred.
  bool ConsumePromotionRequest() {
    return promotion_requested_.exchange(false, std::memory_order_acq_rel);
  }
  // A buffer that operations of the ring wait for may be free. The next call on the ring checks,
  // and so does a call that waits now.
  void RequestBufferCheck();
  // As ConsumePromotionRequest.
  bool ConsumeBufferCheckRequest() {
    return buffer_check_requested_.exchange(false, std::memory_order_acq_rel);
  }

  // As Engine's; -EBADF without one.
  int CreateProvidedRing(uint32_t entry_count, std::unique_ptr<ProvidedRing>* out_ring);
  // Unregisters `ring`, if there is still an engine and this thread may call it.
  void RemoveProvidedRing(ProvidedRing& ring);

  // A tag came back (an event whose token has kBufferTagBit).
  void OnTag(uint64_t token);

  // Before the ring is destroyed: unregisters the kernel's table. No request that names a slot may
  // be in flight.
  void Detach();

  // A copy, so it is readable after Detach too.
  const EngineInfo& engine_info() const { return info_; }
  bool attached() const { return attached_.load(std::memory_order_acquire); }
  // The ring is closed: what is pinned stays pinned, and nothing more is pinned.
  void Close() { closed_.store(true, std::memory_order_release); }
  bool open() const { return !closed_.load(std::memory_order_acquire) && attached(); }
  // True in a forked child, where locks may stay locked and the engine belongs to the parent.
  bool Forked() const { return process_ != CurrentProcess(); }
  bool IsOwner() const;
  // Slots cleared whose tags have not come back yet.
  uint32_t awaited_tags() const;
  // As PinEntries, for tests.
  uint64_t entry_visit_count() const;

 private:
  friend class RefCounted<BufferTable>;
  ~BufferTable();

  // Takes a slot and a key for a range that is about to be pinned. False where the table is full.
  bool BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag, Pinned* pinned)
      REQUIRES(update_mutex_);
  // The kernel holds [offset, offset + pinned->size) in the slot, at the cost of `charge`.
  void EndPin(RefPtr<PinCharge> charge, Pinned* pinned) REQUIRES(update_mutex_);
  void CancelPin(int error, Pinned* pinned) REQUIRES(update_mutex_);
  // Pins as many of `ranges` as there are slots, and sets the result of each.
  KernelTable::Applied Fill(const RefPtr<Slab>& slab, std::span<const Range> ranges,
                            std::span<Pinned> pinned) REQUIRES(update_mutex_);
  // Clears the slots of all deferred entries, unless the table refuses it for now.
  void ClearDeferred() EXCLUDES(update_mutex_);
  // Clears the slots of these entries. What the entries held goes to `dropped`, for after the
  // locks.
  void Clear(std::span<const uint32_t> indices, std::vector<PinEntries::Held>* dropped)
      REQUIRES(update_mutex_);
  // The kernel has lost all pins with this errno.
  void InvalidateAll(int error, std::vector<PinEntries::Held>* dropped) REQUIRES(update_mutex_);
  void RequestChanges() EXCLUDES(mutex_);
  // Calls `signal`, if there is still an engine, without a lock.
  void SignalRing(void (*signal)(Engine& engine, KernelTable& table)) EXCLUDES(mutex_);

  const ProcessToken process_ = CurrentProcess();
  Engine* engine_;
  RingQuiescer* const quiescer_;
  const EngineInfo info_;
  const std::unique_ptr<KernelTable> kernel_;
  std::atomic<bool> attached_{true};
  std::atomic<bool> closed_{false};
  std::atomic<bool> has_deferred_{false};
  std::atomic<bool> promotion_requested_{false};
  std::atomic<bool> buffer_check_requested_{false};
  std::atomic<int> loss_error_{0};
  std::atomic<uint32_t> signals_{0};  // threads inside SignalRing
  Mutex update_mutex_;
  mutable Mutex mutex_;
  SlotTable slots_ GUARDED_BY(mutex_);
  PinEntries entries_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_BUFFER_TABLE_H_
