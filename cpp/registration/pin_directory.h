// PinDirectory: which ranges of which slabs the rings of this process have pinned, and in which
// slots, so that another ring can clone them instead of pinning, and paying for, the same pages
// again.
//
// Lifecycle: a table publishes a slot after the kernel has filled it, and withdraws it before it
// empties the slot or gives up its ring. Withdrawing waits for a clone from that slot: while one is
// under way its source stays as it is. One directory per process; a forked child begins with an
// empty one, for the parent's pins are not its own.
//
// Threading: any thread. One mutex, held over the system call that clones (microseconds, unless one
// of the two rings is registering something else), and under a table's update lock; nothing else is
// locked while it is held.
//
//   PinDirectory::Publish(range, {table, engine, slot, charge});
//   PinDirectory::Cloned cloned = PinDirectory::Clone(range, Match::kWhole, table, engine, slot);
#ifndef MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_
#define MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_

#include <cstdint>

#include "cpp/base/ref_counted.h"
#include "cpp/engine/engine.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class BufferTable;

class PinDirectory {
 public:
  struct Range {
    const Slab* slab = nullptr;
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  enum class Match : uint8_t { kWhole, kPrefix };
  struct Holder {
    const BufferTable* table = nullptr;
    const Engine* engine = nullptr;
    uint32_t slot = 0;
    RefPtr<PinCharge> charge;
  };
  struct Cloned {
    uint64_t size = 0;  // of a range that begins as the wanted one does; 0 = none could be cloned
    RefPtr<PinCharge> charge;
  };

  static void Publish(const Range& range, Holder holder);
  static void Withdraw(const Range& range, const BufferTable* table, uint32_t slot);

  // Puts `wanted`, or with kPrefix the longest range that begins as it does and ends within it,
  // into slot `slot` of `engine`, which is that of `table`, if another table has it pinned.
  static Cloned Clone(const Range& wanted, Match match, const BufferTable* table, Engine& engine,
                      uint32_t slot);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_
