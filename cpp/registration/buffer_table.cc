#include "cpp/registration/buffer_table.h"

#include <cerrno>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {
namespace {

// Tag: the mark, 31 bits of generation, 32 bits of key.
uint64_t TagOf(uint32_t key, uint32_t generation) {
  return kBufferTagBit | (uint64_t{generation & 0x7fffffffu} << 32) | key;
}

}  // namespace

BufferTable::BufferTable(Engine* engine)
    : engine_(engine), info_(engine->info()), slots_(engine->info().fixed_buffer_count) {}

BufferTable::~BufferTable() { CHECK(!attached()); }

bool BufferTable::IsOwner() const {
  MutexLock lock(mutex_);  // Detach takes the engine away under it
  return engine_ == nullptr || engine_->IsOwner();
}

bool BufferTable::BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag, Pinned* pinned) {
  if (!attached()) {
    pinned->error = EBADF;
    return false;
  }
  MutexLock lock(mutex_);
  const std::optional<uint32_t> slot = slots_.Acquire(1);
  if (!slot) {
    pinned->error = ENOSPC;
    return false;
  }
  uint32_t key = 0;
  while (key < entries_.size() && entries_[key].state != State::kFree) ++key;
  if (key == entries_.size()) entries_.emplace_back();
  Entry& entry = entries_[key];
  entry.slab = slab;
  entry.offset = offset;
  entry.slot = *slot;
  entry.generation++;
  entry.state = State::kPinned;
  entry.has_tag = has_tag;
  pinned->slot = static_cast<int32_t>(*slot);
  pinned->key = key;
  return true;
}

void BufferTable::EndPin(RefPtr<PinCharge> charge, Pinned* pinned) {
  PinDirectory::Range range;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[pinned->key];
    entry.size = pinned->size;
    entry.charge = charge;
    range = entry.range();
  }
  PinDirectory::Publish(range, {this, engine_, static_cast<uint32_t>(pinned->slot), std::move(charge)});
}

void BufferTable::AbandonPin(int error, Pinned* pinned) {
  RefPtr<Slab> dropped;  // the last reference goes after the lock
  MutexLock lock(mutex_);
  CHECK(slots_.Release(static_cast<uint32_t>(pinned->slot), 1));
  dropped = FreeEntry(pinned->key);
  pinned->slot = kNoBufferSlot;
  pinned->error = error;
}

RefPtr<Slab> BufferTable::FreeEntry(uint32_t key) {
  Entry& entry = entries_[key];
  entry.state = State::kFree;
  return std::move(entry.slab);
}

BufferTable::Pinned BufferTable::Pin(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size,
                                     uint64_t charge_bytes) {
  Pinned pinned;
  MutexLock update(update_mutex_);
  if (!BeginPin(slab, offset, has_tags(), &pinned)) return pinned;
  uint64_t tag = 0;
  if (has_tags()) {
    MutexLock lock(mutex_);
    tag = TagOf(pinned.key, entries_[pinned.key].generation);
  }
  const iovec range{slab->base() + offset, size};
  const int done = engine_->UpdateBuffers(static_cast<uint32_t>(pinned.slot), {&range, 1}, {&tag, 1});
  if (done == 1) {
    pinned.size = size;
    EndPin(MakeRef<PinCharge>(info_.memlock_exempt ? 0 : charge_bytes), &pinned);
  } else {
    AbandonPin(done < 0 ? -done : EIO, &pinned);
  }
  return pinned;
}

BufferTable::Pinned BufferTable::Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size,
                                       PinDirectory::Match match) {
  Pinned pinned;
  MutexLock update(update_mutex_);
  if (!BeginPin(slab, offset, false, &pinned)) return pinned;
  PinDirectory::Cloned cloned =
      PinDirectory::Clone({slab.get(), offset, size}, match, this, *engine_, static_cast<uint32_t>(pinned.slot));
  if (cloned.size > 0) {
    pinned.size = cloned.size;
    pinned.is_clone = true;
    EndPin(std::move(cloned.charge), &pinned);
  } else {
    AbandonPin(ENOENT, &pinned);
  }
  return pinned;
}

void BufferTable::Unpin(uint32_t key) {
  {
    MutexLock lock(mutex_);
    if (key >= entries_.size() || entries_[key].state != State::kPinned) return;  // Detach has freed it
    if (attached() && !engine_->IsOwner()) {
      entries_[key].state = State::kDeferred;
      has_deferred_.store(true, std::memory_order_release);
      return;
    }
  }
  ClearSlot(key);
}

void BufferTable::ClearSlot(uint32_t key) {
  RefPtr<Slab> dropped;
  RefPtr<PinCharge> charge;
  MutexLock update(update_mutex_);
  if (!attached()) return;
  uint32_t slot = 0;
  PinDirectory::Range range;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[key];
    slot = entry.slot;
    range = entry.range();
    // Before the system call: the tag may be reaped by another thread before it returns.
    entry.state = State::kAwaitingTag;
  }
  PinDirectory::Withdraw(range, this, slot);
  const iovec empty{nullptr, 0};
  const uint64_t no_tag = 0;
  const int done = engine_->UpdateBuffers(slot, {&empty, 1}, {&no_tag, 1});
  MutexLock lock(mutex_);
  Entry& entry = entries_[key];
  if (done != 1) {
    // The slot still pins the pages (a register call that is refused later on, as a seccomp filter may do). It stays
    // taken and the slab stays mapped until the ring goes: losing a slot is better than losing the pages.
    entry.state = State::kPinned;
    return;
  }
  CHECK(slots_.Release(slot, 1));
  charge = std::move(entry.charge);
  if (!entry.has_tag && entry.state == State::kAwaitingTag) dropped = FreeEntry(key);
}

void BufferTable::RunDeferred() {
  if (!has_deferred() || !attached() || !IsOwner()) return;
  // Acquires what AskForPromotion wrote, if this takes back its flag.
  has_deferred_.exchange(false, std::memory_order_acq_rel);
  for (;;) {
    uint32_t key = 0;
    {
      MutexLock lock(mutex_);
      while (key < entries_.size() && entries_[key].state != State::kDeferred) ++key;
      if (key == entries_.size()) return;
    }
    ClearSlot(key);
  }
}

void BufferTable::AskForBuffers() {
  buffers_asked_.store(true, std::memory_order_relaxed);
  has_deferred_.store(true, std::memory_order_release);
  MutexLock lock(mutex_);
  if (engine_ != nullptr) engine_->Alert();
}

std::unique_ptr<ProvidedRing> BufferTable::CreateProvidedRing(uint32_t entry_count, int* out_error) {
  MutexLock update(update_mutex_);
  if (attached()) return engine_->CreateProvidedRing(entry_count, out_error);
  *out_error = EBADF;
  return nullptr;
}

void BufferTable::RemoveProvidedRing(ProvidedRing& ring) {
  MutexLock update(update_mutex_);
  if (attached() && engine_->IsOwner()) (void)ring.Unregister();
}

void BufferTable::OnTag(uint64_t token) {
  const uint32_t key = static_cast<uint32_t>(token);
  RefPtr<Slab> dropped;
  MutexLock lock(mutex_);
  if (key >= entries_.size()) return;
  Entry& entry = entries_[key];
  if (TagOf(key, entry.generation) != token || entry.state != State::kAwaitingTag) return;
  dropped = FreeEntry(key);
}

uint32_t BufferTable::awaited_tags() const {
  MutexLock lock(mutex_);
  uint32_t count = 0;
  for (const Entry& entry : entries_) count += entry.state == State::kAwaitingTag;
  return count;
}

void BufferTable::Detach() {
  std::vector<Entry> dropped;  // slabs are unmapped, and charges given back, after the locks
  MutexLock update(update_mutex_);
  if (!attached_.exchange(false, std::memory_order_acq_rel)) return;
  {
    MutexLock lock(mutex_);
    dropped.swap(entries_);
  }
  for (const Entry& entry : dropped) {
    // No other ring clones from here any more once this is done.
    if (entry.slab) PinDirectory::Withdraw(entry.range(), this, entry.slot);
  }
  // Before the ring is closed: closing returns budget late, unregistering first leaves no gap (measured, 5.10 to 6.18).
  if (engine_->IsOwner()) engine_->UnregisterBuffers();
  MutexLock lock(mutex_);
  engine_ = nullptr;
}

}  // namespace mooring
