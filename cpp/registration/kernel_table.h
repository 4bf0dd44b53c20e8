// KernelTable: the fixed-buffer table of one ring, as the kernel holds it. Kernels differ in how a
// table can be changed. Each way is one class behind this interface, and Create chooses.
// BufferTable records what is in the slots, and knows only this interface.
//
// BufferTable must expect three things of every table:
// - A change may be refused for now: TryBegin returns false. RequestChanges then asks the threads
//   that use the ring for a call in which the changes can be made.
// - Pins may be lost: Applied::loss_error.
// - Slots may be set together: with traits().sets_slots_together one Apply costs the same for one
//   slot as for all, so changes belong into one call.
//
// Lifecycle: an object lives as long as its BufferTable. After Close it does not use the engine and
// the quiescer. Its traits stay readable.
//
// Threading: traits, TryBegin, End and RequestChanges take any thread. Apply, CloneSlot and Close
// run one at a time, on a thread that the engine accepts for UpdateBuffers.
//
//   const std::unique_ptr<KernelTable> table = KernelTable::Create(engine, quiescer);
//   const ChangeScope scope(*table);
//   if (!scope.is_granted()) return EBUSY;
//   KernelTable::Change change{.slot = 0, .range = {base, size}};
//   const KernelTable::Applied applied = table->Apply({&change, 1});
#ifndef MOORING_CPP_REGISTRATION_KERNEL_TABLE_H_
#define MOORING_CPP_REGISTRATION_KERNEL_TABLE_H_

#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include "cpp/engine/engine.h"
#include "cpp/registration/ring_quiescer.h"

namespace mooring {

class KernelTable {
 public:
  struct Traits {
    uint32_t slot_count_max = 0;       // the most slots that a table of this kernel can have
    bool may_refuse_for_now = false;   // TryBegin may return false
    bool sets_slots_together = false;  // one Apply costs as much for one slot as for all
    bool posts_tags = false;           // the kernel posts Change::tag
    bool shares_slots = false;         // other rings may clone the slots
  };
  struct Change {
    uint32_t slot = 0;
    iovec range = {};  // {nullptr, 0} empties the slot
    uint64_t tag = 0;  // posted when the kernel has released the range; 0 = none
    int error = 0;     // set by Apply: 0, or a positive errno, and then the slot is unchanged
  };
  struct Applied {
    int loss_error = 0;  // positive errno: all slots are empty now, and every change has failed
  };

  // `quiescer` may be null: then the ring counts as quiet at all times. Both outlive the calls up
  // to Close.
  static std::unique_ptr<KernelTable> Create(Engine& engine, RingQuiescer* quiescer);
  virtual ~KernelTable() = default;
  KernelTable(const KernelTable&) = delete;
  KernelTable& operator=(const KernelTable&) = delete;

  const Traits& traits() const { return traits_; }

  // True: this thread may call Apply until it has called End as often. False: not now. Never waits.
  virtual bool TryBegin() { return true; }
  virtual void End() {}
  // There are changes that this thread cannot make, or not now. Wakes a call that waits on the
  // ring, if that call can make them.
  virtual void RequestChanges() = 0;

  // Makes the changes and sets the error of each. Between TryBegin and End.
  virtual Applied Apply(std::span<Change> changes) = 0;
  // As Engine::CloneBuffer. A change of one slot, and so between TryBegin and End.
  virtual int CloneSlot(const Engine& /*source*/, uint32_t /*from*/, uint32_t /*to*/) {
    return -EOPNOTSUPP;
  }
  // Unregisters the table, where this thread may. No operation that names a slot is in flight.
  virtual void Close() = 0;

 protected:
  KernelTable(Engine& engine, const Traits& traits) : engine_(engine), traits_(traits) {}
  Engine& engine() const { return engine_; }

 private:
  Engine& engine_;
  const Traits traits_;
};

// Begins changes, and ends them with its scope.
class ChangeScope {
 public:
  explicit ChangeScope(KernelTable& table) : table_(table), is_granted_(table.TryBegin()) {}
  ~ChangeScope() {
    if (is_granted_) table_.End();
  }
  ChangeScope(const ChangeScope&) = delete;
  ChangeScope& operator=(const ChangeScope&) = delete;

  bool is_granted() const { return is_granted_; }

 private:
  KernelTable& table_;
  const bool is_granted_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_KERNEL_TABLE_H_
