// WholeTable: the kernel's fixed-buffer table where it can only be registered whole
// (IORING_REGISTER_BUFFERS alone, Linux 5.1 to 5.12). It remembers what is in each slot; a change
// is to unregister the table, and to register it anew.
//
// Slots keep their numbers. There are no empty ones before 5.13, so one between two that are taken
// holds a page of ours, which costs a page of memlock; after the last that is taken the table ends.
//
// When the new table is refused, the old one is put back. When that fails too (another process of
// this user took the budget meanwhile), nothing is registered any more, and the result says so.
//
// No tag tells when the kernel let go of a range, and none is needed: unregistering ends its use
// (io_uring_register(2)), as nothing is in flight.
//
// Threading: one-at-a-time, while the ring is quiet (ring_quiescer.h).
//
//   WholeTable table(engine);
//   const WholeTable::Change change{.slot = 0, .range = {base, size}};
//   if (table.Apply({&change, 1}).error == 0) ...
#ifndef MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_
#define MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/engine/engine.h"
#include "cpp/os/mapping.h"
#include "cpp/registration/pin_charge.h"

namespace mooring {

class WholeTable {
 public:
  // The most slots that there can be (UIO_MAXIOV, 5.4).
  static constexpr uint32_t kSlotCountMax = 1024;

  struct Change {
    uint32_t slot = 0;
    iovec range = {};  // {nullptr, 0} empties the slot
  };
  struct Applied {
    int error = 0;  // positive errno: nothing has changed, or all is lost
    int loss = 0;  // positive errno: the old table could not be put back, and nothing is registered
                   // any more
  };

  // The engine outlives all calls.
  explicit WholeTable(Engine& engine) : engine_(engine) {}

  Applied Apply(std::span<const Change> changes);

 private:
  // 0, or a positive errno. What is not taken below the last that is gets the filler.
  int Register(const std::vector<iovec>& ranges);
  int MapFiller();

  Engine& engine_;
  std::vector<iovec> ranges_;  // by slot, up to the last that is taken
  Mapping filler_;
  RefPtr<PinCharge> filler_charge_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_WHOLE_TABLE_H_
