#include "cpp/registration/slot_table.h"

#include <algorithm>
#include <bit>

#include "cpp/base/check.h"

namespace mooring {
namespace {

constexpr uint32_t kWordBits = 64;

constexpr uint32_t WordsFor(uint32_t bits) { return (bits + kWordBits - 1) / kWordBits; }

// The bits that the range [first, first + count) has in word `word`; 0 if none.
constexpr uint64_t MaskInWord(uint32_t first, uint32_t count, uint32_t word) {
  const uint32_t word_first = word * kWordBits;
  const uint32_t begin = std::max(first, word_first) - word_first;
  const uint32_t end = std::min(first + count, word_first + kWordBits) - word_first;
  const uint64_t below_end = end == kWordBits ? ~uint64_t{0} : (uint64_t{1} << end) - 1;
  return below_end & (~uint64_t{0} << begin);
}

// Position of the lowest `count` contiguous ones in `bits`, kWordBits if there are none. After
// each step a bit survives only if the `have` bits from it upwards were all set, so the number of
// steps is logarithmic in `count`.
constexpr uint32_t LowestRunInWord(uint64_t bits, uint32_t count) {
  if (count > kWordBits) return kWordBits;
  for (uint32_t have = 1; have < count && bits != 0;) {
    const uint32_t step = std::min(have, count - have);
    bits &= bits >> step;
    have += step;
  }
  return static_cast<uint32_t>(std::countr_zero(bits));
}

}  // namespace

SlotTable::SlotTable(uint32_t slot_count)
    : slot_count_(slot_count),
      free_words_(WordsFor(slot_count)),
      summary_words_(WordsFor(WordsFor(slot_count))) {
  CHECK(slot_count <= kSlotCountMax);
  MarkFree(0, slot_count);
}

std::optional<uint32_t> SlotTable::Acquire(uint32_t count) {
  if (count == 0 || count > slot_count_ - taken_count_) return std::nullopt;
  const std::optional<uint32_t> first = count == 1 ? FindSlot() : FindRange(count);
  if (!first) return std::nullopt;
  MarkTaken(*first, count);
  taken_count_ += count;
  return first;
}

bool SlotTable::Release(uint32_t first, uint32_t count) {
  if (count == 0 || first >= slot_count_ || count > slot_count_ - first) return false;
  const uint32_t last_word = (first + count - 1) / kWordBits;
  for (uint32_t word = first / kWordBits; word <= last_word; ++word) {
    if ((free_words_[word] & MaskInWord(first, count, word)) != 0) return false;
  }
  MarkFree(first, count);
  DCHECK(taken_count_ >= count);
  taken_count_ -= count;
  return true;
}

bool SlotTable::IsTaken(uint32_t slot) const {
  if (slot >= slot_count_) return false;
  return (free_words_[slot / kWordBits] >> (slot % kWordBits) & 1) == 0;
}

std::optional<uint32_t> SlotTable::FindSlot() const {
  const std::optional<uint32_t> word = NextWordWithFree(0);
  if (!word) return std::nullopt;
  return *word * kWordBits + static_cast<uint32_t>(std::countr_zero(free_words_[*word]));
}

std::optional<uint32_t> SlotTable::FindRange(uint32_t count) const {
  uint32_t reach = 0;  // free slots that end where the word under inspection begins
  uint32_t next = 0;
  while (const std::optional<uint32_t> word = NextWordWithFree(next)) {
    if (*word != next) reach = 0;
    const uint64_t bits = free_words_[*word];
    const uint32_t word_first = *word * kWordBits;
    if (reach + static_cast<uint32_t>(std::countr_one(bits)) >= count) return word_first - reach;
    const uint32_t inside = LowestRunInWord(bits, count);
    if (inside < kWordBits) return word_first + inside;
    const uint32_t tail = static_cast<uint32_t>(std::countl_one(bits));
    reach = tail == kWordBits ? reach + kWordBits : tail;
    next = *word + 1;
  }
  return std::nullopt;
}

std::optional<uint32_t> SlotTable::NextWordWithFree(uint32_t from) const {
  uint64_t below = ~uint64_t{0} << (from % kWordBits);
  for (uint32_t summary = from / kWordBits; summary < summary_words_.size(); ++summary) {
    const uint64_t bits = summary_words_[summary] & below;
    if (bits != 0) return summary * kWordBits + static_cast<uint32_t>(std::countr_zero(bits));
    below = ~uint64_t{0};
  }
  return std::nullopt;
}

void SlotTable::MarkTaken(uint32_t first, uint32_t count) {
  const uint32_t end_word = WordsFor(first + count);
  for (uint32_t word = first / kWordBits; word < end_word; ++word) {
    free_words_[word] &= ~MaskInWord(first, count, word);
    if (free_words_[word] == 0)
      summary_words_[word / kWordBits] &= ~(uint64_t{1} << (word % kWordBits));
  }
}

void SlotTable::MarkFree(uint32_t first, uint32_t count) {
  if (count == 0) return;
  const uint32_t end_word = WordsFor(first + count);
  for (uint32_t word = first / kWordBits; word < end_word; ++word) {
    free_words_[word] |= MaskInWord(first, count, word);
    summary_words_[word / kWordBits] |= uint64_t{1} << (word % kWordBits);
  }
}

}  // namespace mooring
