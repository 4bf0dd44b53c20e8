// SlotTable: which slots of a ring's fixed-buffer table are taken. It makes no system calls and
// knows neither memory nor ring.
//
// Slots are taken as contiguous ranges, the lowest that fits. Release reports a slot that is not
// taken. Taking one slot costs the same however full the table is: a summary of the words leads to
// the first one with a free slot.
//
// Lifecycle: the constructor allocates all memory. A table lives as long as its ring.
//
// Threading: not thread-safe; BufferTable guards it.
//
//   SlotTable table(1024);
//   std::optional<uint32_t> first = table.Acquire(3);
//   if (first) table.Release(*first, 3);
#ifndef MOORING_CPP_REGISTRATION_SLOT_TABLE_H_
#define MOORING_CPP_REGISTRATION_SLOT_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace mooring {

class SlotTable {
 public:
  // The kernel's limit of registered buffers per ring is 16,384 (measured on 5.10 to 7.0; 1,024 in
  // 5.4).
  static constexpr uint32_t kSlotCountMax = 16384;

  // `slot_count` is at most kSlotCountMax; 0 makes a table that is always full.
  explicit SlotTable(uint32_t slot_count);

  // Takes a free range of `count` slots and returns the first. nullopt when there is none or
  // `count` is 0.
  std::optional<uint32_t> Acquire(uint32_t count);
  // Returns false and changes nothing when a slot of the range is free already or past the end, or
  // when `count` is 0.
  [[nodiscard]] bool Release(uint32_t first, uint32_t count);

  bool IsTaken(uint32_t slot) const;
  uint32_t slot_count() const { return slot_count_; }
  uint32_t taken_count() const { return taken_count_; }

 private:
  std::optional<uint32_t> FindSlot() const;
  std::optional<uint32_t> FindRange(uint32_t count) const;
  // The first word from `from` on that has a free slot.
  std::optional<uint32_t> NextWordWithFree(uint32_t from) const;
  void MarkTaken(uint32_t first, uint32_t count);
  void MarkFree(uint32_t first, uint32_t count);

  const uint32_t slot_count_;
  uint32_t taken_count_ = 0;
  std::vector<uint64_t> free_words_;     // bit set: slot free
  std::vector<uint64_t> summary_words_;  // bit set: that word of free_words_ has a free slot
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_SLOT_TABLE_H_
