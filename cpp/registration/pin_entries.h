// PinEntries: the records of a BufferTable, one for each range that it has put into a slot. Each
// has a key, which is never used twice, and a tag, with which the kernel reports that it has
// released the range.
//
// Free entries form a list, and so do entries whose slots are to be cleared later. So a call looks
// only at the entries that it changes, however many there are.
//
// Threading: not thread-safe; BufferTable guards it.
//
//   const uint64_t key = entries.Add(slab, offset, slot, has_tag);
//   if (entries.Defer(key)) ...
//   for (const uint32_t index : entries.TakeDeferred()) ...
#ifndef MOORING_CPP_REGISTRATION_PIN_ENTRIES_H_
#define MOORING_CPP_REGISTRATION_PIN_ENTRIES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/registration/pin_directory.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class PinEntries {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  enum class State : uint8_t {
    kFree,
    kPinned,
    kDeferred,     // unpinned, but the slot is not cleared yet
    kAwaitingTag,  // the slot is being cleared, or is clear and the tag has not come yet
  };
  // What an entry keeps alive. The caller drops it after the locks: the last reference to a slab
  // unmaps memory.
  struct Held {
    RefPtr<Slab> slab;
    RefPtr<PinCharge> charge;
  };
  struct Entry {
    Held held;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t slot = 0;
    uint32_t generation = 0;
    uint32_t next_free = kNone;
    State state = State::kFree;
    bool has_tag = false;   // the kernel reports when it has released the range
    bool has_slot = false;  // the slot is not released yet

    PinDirectory::Range range() const { return {held.slab.get(), offset, size}; }
  };

  static uint32_t IndexOf(uint64_t key) { return static_cast<uint32_t>(key); }
  // The tag of the entry with this key: kBufferTagBit, 31 bits of generation, 32 bits of index.
  static uint64_t TagOf(uint64_t key);

  // A new entry, kPinned. Its key: 32 bits of generation, 32 bits of index.
  uint64_t Add(RefPtr<Slab> slab, uint64_t offset, uint32_t slot, bool has_tag);
  Entry& At(uint32_t index) { return Visit(index); }
  bool IsPinned(uint64_t key) const;
  // Makes the pinned entry with this key kDeferred. False where there is none.
  [[nodiscard]] bool Defer(uint64_t key);
  // All deferred entries, the oldest first. They become kAwaitingTag: another thread may reap the
  // tag of a slot before the call that clears the slot returns.
  std::vector<uint32_t> TakeDeferred();
  // Makes such an entry kDeferred again, if the kernel has not cleared its slot.
  void DeferAgain(uint32_t index);
  // Frees the entry that waits for `tag`; nothing where there is none.
  Held FreeByTag(uint64_t tag);
  Held Free(uint32_t index);
  // Frees all entries and returns what they were.
  std::vector<Entry> FreeAll();

  uint32_t awaiting_tag_count() const { return awaiting_tag_count_; }
  // The number of entries that all calls together have looked at, for tests.
  uint64_t visit_count() const { return visit_count_; }

 private:
  static uint64_t KeyOf(uint32_t index, const Entry& entry) {
    return uint64_t{entry.generation} << 32 | index;
  }
  void SetState(Entry& entry, State state);
  const Entry& Visit(uint32_t index) const;
  Entry& Visit(uint32_t index) { return const_cast<Entry&>(std::as_const(*this).Visit(index)); }

  std::vector<Entry> entries_;
  std::vector<uint32_t> deferred_;  // indices
  uint32_t first_free_ = kNone;
  uint32_t awaiting_tag_count_ = 0;
  mutable uint64_t visit_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PIN_ENTRIES_H_
