// PinLadder: how much of a range can be pinned, and why not more. The rungs: a clone of what
// another ring has pinned; all of it; after a pause, if budget that this process gave back is still
// on its way; with the soft limit raised, if the caller allows it; a clone of a prefix; the largest
// prefix.
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
  Reason reason = Reason::kNone;  // kNone although bytes are left: the rest may fare otherwise, so
                                  // ask again for it
  int32_t system_error = 0;
};

// How hard a range is tried for.
enum class Effort : uint8_t {
  kPatient,  // every rung, with pauses
  kPrompt,   // no pause and no search: what the ledger has room for
};

// Threading: one-at-a-time per call; the table serialises the system calls.
class PinLadder {
 public:
  PinLadder(BufferTable& table, const RefPtr<Slab>& slab, bool raise_memlock, Effort effort)
      : table_(table), slab_(slab), raise_memlock_(raise_memlock), effort_(effort) {}

  // Pins [offset, offset + size) of the slab, or a prefix of whole buffers.
  PinnedPrefix Pin(uint64_t offset, uint64_t size);

  // Where the table changes whole: all of these ranges at once, each in a slot of its own, for one
  // by one would register the table as often. Empty where that cannot be.
  std::vector<BufferTable::Pinned> PinTogether(std::span<const BufferTable::Range> ranges);

  // Why a ring with this engine can pin nothing at all; kNone if it can.
  static Reason TableReason(const EngineInfo& engine, const MemlockLimits& memlock);
  // What an errno of pinning, on a ring with this engine, means.
  static Reason Classify(int error, const EngineInfo& engine);

 private:
  BufferTable::Pinned TryPin(uint64_t offset, uint64_t size);
  PinnedPrefix PinPatiently(uint64_t offset, uint64_t size);
  PinnedPrefix PinPromptly(uint64_t offset, uint64_t size);
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
