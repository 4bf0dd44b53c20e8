// PinLadder: pins as much of a range as is possible, and reports why not more. The rungs are:
// 1. a clone of what another ring has pinned;
// 2. all of the range;
// 3. all of it after a pause, if the kernel has not returned yet what this process has released;
// 4. all of it with the soft limit raised, if the caller allows it;
// 5. a clone of a prefix;
// 6. the largest prefix.
#ifndef MOORING_CPP_REGISTRATION_PIN_LADDER_H_
#define MOORING_CPP_REGISTRATION_PIN_LADDER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/report.h"
#include "cpp/slabs/slab.h"

namespace mooring {

struct PinnedPrefix {
  uint64_t bytes_fixed = 0;  // a prefix of the range
  BufferTable::Pinned pinned;
  // kNone although bytes are left: the result for the rest may differ, so call again for it.
  Reason reason = Reason::kNone;
  int32_t system_error = 0;
};

enum class Effort : uint8_t {
  kWithPauses,  // every rung
  kOneTry,      // no pause and no search: only what the ledger has room for
};

// Threading: one-at-a-time per call; the table serialises the system calls.
class PinLadder {
 public:
  PinLadder(BufferTable& table, const RefPtr<Slab>& slab, bool raise_memlock, Effort effort)
      : table_(table), slab_(slab), raise_memlock_(raise_memlock), effort_(effort) {}

  // Pins [offset, offset + size) of the slab, or a prefix that ends between two buffers.
  PinnedPrefix Pin(uint64_t offset, uint64_t size);

  // Pins all of these ranges in one call, each in its own slot, for tables that set slots together.
  // One result per range; empty where the ledger has no room for all.
  std::vector<BufferTable::Pinned> PinTogether(std::span<const BufferTable::Range> ranges);

  // Why a ring with this engine can pin nothing at all; kNone if it can.
  static Reason TableReason(const EngineInfo& engine, const MemlockLimits& memlock);
  // What an errno of pinning on a ring with this table means.
  static Reason Classify(int error, const BufferTable& table);

 private:
  BufferTable::Pinned TryPin(uint64_t offset, uint64_t size);
  PinnedPrefix PinWithPauses(uint64_t offset, uint64_t size);
  PinnedPrefix PinInOneTry(uint64_t offset, uint64_t size);
  PinnedPrefix LargestPrefix(uint64_t offset, uint64_t size, MemlockBackoff& backoff);
  bool IsLimited() const;
  uint64_t Charge(uint64_t size) const;
  uint64_t LedgerRoom() const;

  BufferTable& table_;
  const RefPtr<Slab>& slab_;
  const bool raise_memlock_;
  const Effort effort_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PIN_LADDER_H_
