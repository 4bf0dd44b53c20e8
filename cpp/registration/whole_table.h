// WholeTable: the kernel's fixed-buffer table where it can only be registered whole
// (IORING_REGISTER_BUFFERS alone, Linux 5.1 to 5.12). It remembers what is in each slot. A change
// unregisters the table and registers it anew.
//
// Changes need a quiet ring (ring_quiescer.h): up to 5.12 the kernel waits in these calls until all
// requests of the ring have completed. So TryBegin returns false while the ring is not quiet.
//
// Slots keep their numbers. Before 5.13 a slot cannot be empty. An empty slot before the last one
// in use therefore holds the filler, one page of our own, which costs one page of memlock. The
// table ends at the last slot in use.
//
// If the kernel refuses the new table, the old one is registered again. If that fails too (another
// process of this user has taken the budget), nothing is registered any more, and Apply reports the
// loss.
//
// There are no tags, and none are needed: unregistering ends the kernel's use of the ranges
// (io_uring_register(2)), as no operation is in flight.
//
// Threading: as KernelTable.
//
//   WholeTable table(engine, quiescer);
//   const ChangeScope scope(table);
//   KernelTable::Change change{.slot = 0, .range = {base, size}};
//   if (scope.is_granted()) table.Apply({&change, 1});
#ifndef MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_
#define MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/engine/engine.h"
#include "cpp/os/mapping.h"
#include "cpp/registration/kernel_table.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/registration/ring_quiescer.h"

namespace mooring {

class WholeTable final : public KernelTable {
 public:
  // The most slots that a table can have (UIO_MAXIOV, 5.4).
  static constexpr uint32_t kSlotCountMax = 1024;

  // Both outlive all calls up to Close. Without a quiescer the ring counts as quiet at all times.
  explicit WholeTable(Engine& engine, RingQuiescer* quiescer = nullptr);

  bool TryBegin() override;
  void End() override;
  void RequestChanges() override;
  // All changes are made, or none.
  Applied Apply(std::span<Change> changes) override;
  void Close() override;

 private:
  struct Outcome {
    int error = 0;       // of every change
    int loss_error = 0;  // as Applied
  };
  Outcome Replace(std::span<const Change> changes);
  // 0, or a positive errno. Empty slots get the filler.
  int Register(const std::vector<iovec>& ranges);
  int MapFiller();

  RingQuiescer* const quiescer_;
  std::vector<iovec> ranges_;  // by slot, up to the last one in use
  Mapping filler_;
  RefPtr<PinCharge> filler_charge_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_
