// PinDirectory: which ranges of which slabs the rings of this process have pinned, and in which
// slots. Another ring can clone them, instead of pinning the same pages and paying for them again.
//
// Lifecycle: a table publishes a slot after the kernel has filled it, and withdraws it before it
// clears the slot or detaches from its ring. Withdraw waits for a clone from that slot, so that a
// slot does not change while it is cloned. There is one directory per process. A forked child
// begins with an empty one, because the parent's pins are not its own.
//
// Threading: any thread. One mutex, held over the system call that clones (microseconds, unless one
// of the two rings is registering something else). A table calls with its update lock held. Nothing
// else is locked while the mutex is held.
//
//   PinDirectory::Publish(range, {table, engine, slot, charge});
//   PinDirectory::Cloned cloned = PinDirectory::Clone(range, Match::kExact, table, kernel, slot);
#ifndef MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_
#define MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_

#include <cstdint>

#include "cpp/base/ref_counted.h"
#include "cpp/engine/engine.h"
#include "cpp/registration/kernel_table.h"
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
  enum class Match : uint8_t { kExact, kPrefix };
  struct Holder {
    const BufferTable* table = nullptr;
    const Engine* engine = nullptr;
    uint32_t slot = 0;
    RefPtr<PinCharge> charge;
  };
  struct Cloned {
    uint64_t size = 0;  // of a prefix of the wanted range, 0 = none could be cloned
    RefPtr<PinCharge> charge;
  };

  static void Publish(const Range& range, Holder holder);
  static void Withdraw(const Range& range, const BufferTable* table, uint32_t slot);

  // Puts `wanted` into slot `slot` of `kernel`, which is that of `table`, if another table has it
  // pinned. With kPrefix: the longest range that another table has, begins as `wanted` does, and
  // ends within it.
  static Cloned Clone(const Range& wanted, Match match, const BufferTable* table,
                      KernelTable& kernel, uint32_t slot);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PIN_DIRECTORY_H_
