#include "cpp/registration/pin_entries.h"

#include "cpp/engine/request.h"

namespace mooring {

uint64_t PinEntries::TagOf(uint64_t key) {
  const uint64_t generation = key >> 32;
  return kBufferTagBit | (generation & 0x7fffffffu) << 32 | IndexOf(key);
}

const PinEntries::Entry& PinEntries::Visit(uint32_t index) const {
  ++visit_count_;
  return entries_[index];
}

void PinEntries::SetState(Entry& entry, State state) {
  awaiting_tag_count_ -= entry.state == State::kAwaitingTag;
  awaiting_tag_count_ += state == State::kAwaitingTag;
  entry.state = state;
}

uint64_t PinEntries::Add(RefPtr<Slab> slab, uint64_t offset, uint32_t slot, bool has_tag) {
  uint32_t index = first_free_;
  if (index == kNone) {
    index = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  }
  Entry& entry = Visit(index);
  first_free_ = entry.next_free;
  entry.next_free = kNone;
  entry.held.slab = std::move(slab);
  entry.offset = offset;
  entry.slot = slot;
  entry.generation++;
  entry.has_tag = has_tag;
  entry.has_slot = true;
  SetState(entry, State::kPinned);
  return KeyOf(index, entry);
}

bool PinEntries::IsPinned(uint64_t key) const {
  const uint32_t index = IndexOf(key);
  if (index >= entries_.size()) return false;
  const Entry& entry = Visit(index);
  return entry.state == State::kPinned && KeyOf(index, entry) == key;
}

bool PinEntries::Defer(uint64_t key) {
  if (!IsPinned(key)) return false;
  DeferAgain(IndexOf(key));
  return true;
}

void PinEntries::DeferAgain(uint32_t index) {
  SetState(Visit(index), State::kDeferred);
  deferred_.push_back(index);
}

std::vector<uint32_t> PinEntries::TakeDeferred() {
  for (const uint32_t index : deferred_) SetState(Visit(index), State::kAwaitingTag);
  return std::exchange(deferred_, {});
}

PinEntries::Held PinEntries::FreeByTag(uint64_t tag) {
  const uint32_t index = IndexOf(tag);
  if (index >= entries_.size()) return {};
  const Entry& entry = Visit(index);
  if (entry.state != State::kAwaitingTag || TagOf(KeyOf(index, entry)) != tag) return {};
  return Free(index);
}

PinEntries::Held PinEntries::Free(uint32_t index) {
  Entry& entry = Visit(index);
  SetState(entry, State::kFree);
  entry.next_free = first_free_;
  first_free_ = index;
  return std::exchange(entry.held, {});
}

std::vector<PinEntries::Entry> PinEntries::FreeAll() {
  deferred_.clear();
  std::vector<Entry> freed;
  for (uint32_t index = 0; index < entries_.size(); ++index) {
    if (Visit(index).state == State::kFree) continue;
    freed.push_back(Visit(index));
    Free(index);
  }
  return freed;
}

}  // namespace mooring
