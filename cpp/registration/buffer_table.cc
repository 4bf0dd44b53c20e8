#include "cpp/registration/buffer_table.h"

#include <cerrno>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {
namespace {

// A key: 32 bits of generation, 32 bits of index. A tag: the mark, 31 bits of generation, 32 bits
// of index.
uint32_t IndexOf(uint64_t key) { return static_cast<uint32_t>(key); }
uint32_t GenerationOf(uint64_t key) { return static_cast<uint32_t>(key >> 32); }
uint64_t TagOf(uint32_t index, uint32_t generation) {
  return kBufferTagBit | (uint64_t{generation & 0x7fffffffu} << 32) | index;
}

}  // namespace

BufferTable::BufferTable(Engine* engine, RingQuiescer* quiescer)
    : engine_(engine),
      quiescer_(quiescer),
      info_(engine->info()),
      changes_whole_(info_.fixed_buffer_count > 0 && (info_.features & kFeatureBufferUpdate) == 0),
      slots_(info_.fixed_buffer_count) {
  if (changes_whole_) whole_.emplace(*engine);
}

BufferTable::~BufferTable() { CHECK(!attached()); }

bool BufferTable::IsOwner() const {
  MutexLock lock(mutex_);  // Detach takes the engine away under it
  return engine_ == nullptr || engine_->IsOwner();
}

bool BufferTable::BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag,
                           Pinned* pinned) {
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
  uint32_t index = 0;
  while (index < entries_.size() && entries_[index].state != State::kFree) ++index;
  if (index == entries_.size()) entries_.emplace_back();
  Entry& entry = entries_[index];
  entry.slab = slab;
  entry.offset = offset;
  entry.slot = *slot;
  entry.generation++;
  entry.state = State::kPinned;
  entry.has_tag = has_tag;
  pinned->slot = static_cast<int32_t>(*slot);
  pinned->key = KeyOf(index);
  return true;
}

void BufferTable::EndPin(RefPtr<PinCharge> charge, Pinned* pinned) {
  PinDirectory::Range range;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[IndexOf(pinned->key)];
    entry.size = pinned->size;
    entry.charge = charge;
    range = entry.range();
  }
  if (changes_whole_) return;  // its slots come and go unseen by who would clone them
  PinDirectory::Publish(range,
                        {this, engine_, static_cast<uint32_t>(pinned->slot), std::move(charge)});
}

void BufferTable::AbandonPin(int error, Pinned* pinned) {
  RefPtr<Slab> dropped;  // the last reference goes after the lock
  MutexLock lock(mutex_);
  CHECK(slots_.Release(static_cast<uint32_t>(pinned->slot), 1));
  dropped = FreeEntry(IndexOf(pinned->key));
  pinned->slot = kNoBufferSlot;
  pinned->error = error;
}

RefPtr<Slab> BufferTable::FreeEntry(uint32_t index) {
  Entry& entry = entries_[index];
  entry.state = State::kFree;
  return std::move(entry.slab);
}

void BufferTable::LetGo(uint32_t index, std::vector<Entry>* dropped) {
  Entry& entry = entries_[index];
  CHECK(slots_.Release(entry.slot, 1));
  dropped->push_back(std::move(entry));
  entry.state = State::kFree;
}

BufferTable::Pinned BufferTable::Pin(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size,
                                     uint64_t charge_bytes) {
  Pinned pinned;
  if (changes_whole_) {
    const Range range{offset, size, charge_bytes};
    (void)PinTogether(slab, {&range, 1}, {&pinned, 1});
    return pinned;
  }
  MutexLock update(update_mutex_);
  if (!BeginPin(slab, offset, has_tags(), &pinned)) return pinned;
  if (const int error = Fill(pinned, {slab->base() + offset, size}); error != 0) {
    AbandonPin(error, &pinned);
    return pinned;
  }
  pinned.size = size;
  EndPin(MakeRef<PinCharge>(info_.memlock_exempt ? 0 : charge_bytes), &pinned);
  return pinned;
}

int BufferTable::Fill(const Pinned& pinned, const iovec& range) {
  const uint64_t tag = has_tags() ? TagOf(IndexOf(pinned.key), GenerationOf(pinned.key)) : 0;
  const int done =
      engine_->UpdateBuffers(static_cast<uint32_t>(pinned.slot), {&range, 1}, {&tag, 1});
  if (done == 1) return 0;
  return done < 0 ? -done : EIO;
}

bool BufferTable::PinTogether(const RefPtr<Slab>& slab, std::span<const Range> ranges,
                              std::span<Pinned> out_pinned) {
  std::vector<Entry> dropped;  // slabs are unmapped, and charges given back, after the locks
  std::vector<WholeTable::Change> changes;
  MutexLock update(update_mutex_);
  const QuietGuard quiet(quiescer_if_needed());
  WholeTable::Applied applied{.error = quiet.is_quiet() ? 0 : EBUSY};
  for (size_t i = 0; i < ranges.size() && applied.error == 0; ++i) {
    if (!BeginPin(slab, ranges[i].offset, false, &out_pinned[i])) {
      applied.error = out_pinned[i].error;
    } else {
      changes.push_back({static_cast<uint32_t>(out_pinned[i].slot),
                         {slab->base() + ranges[i].offset, ranges[i].size}});
    }
  }
  if (applied.error == 0) applied = whole_->Apply(changes);
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (applied.error == 0) {
      out_pinned[i].size = ranges[i].size;
      EndPin(MakeRef<PinCharge>(info_.memlock_exempt ? 0 : ranges[i].charge_bytes), &out_pinned[i]);
    } else if (i < changes.size()) {
      AbandonPin(applied.error, &out_pinned[i]);
    } else {
      out_pinned[i].error = applied.error;
    }
  }
  if (applied.loss != 0) LoseAll(applied.loss, &dropped);
  return applied.error == 0;
}

BufferTable::Pinned BufferTable::Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size,
                                       PinDirectory::Match match) {
  Pinned pinned;
  if (changes_whole_) {
    pinned.error = ENOENT;
    return pinned;
  }
  MutexLock update(update_mutex_);
  if (!BeginPin(slab, offset, false, &pinned)) return pinned;
  PinDirectory::Cloned cloned = PinDirectory::Clone({slab.get(), offset, size}, match, this,
                                                    *engine_, static_cast<uint32_t>(pinned.slot));
  if (cloned.size > 0) {
    pinned.size = cloned.size;
    pinned.is_clone = true;
    EndPin(std::move(cloned.charge), &pinned);
  } else {
    AbandonPin(ENOENT, &pinned);
  }
  return pinned;
}

void BufferTable::Unpin(std::span<const uint64_t> keys) {
  for (const uint64_t key : keys) {
    {
      MutexLock lock(mutex_);
      if (!HoldsLocked(key)) continue;  // Detach, or a loss, has freed it
      if (changes_whole_ || (attached() && !engine_->IsOwner())) {
        entries_[IndexOf(key)].state = State::kDeferred;
        has_deferred_.store(true, std::memory_order_release);
        continue;
      }
    }
    ClearSlot(IndexOf(key));
  }
  if (changes_whole_) TryClearWhole();
}

bool BufferTable::Holds(uint64_t key) const {
  MutexLock lock(mutex_);
  return HoldsLocked(key);
}

void BufferTable::ClearSlot(uint32_t index) {
  RefPtr<Slab> dropped;
  RefPtr<PinCharge> charge;
  MutexLock update(update_mutex_);
  if (!attached()) return;
  uint32_t slot = 0;
  PinDirectory::Range range;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[index];
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
  Entry& entry = entries_[index];
  if (done != 1) {
    // The slot still pins the pages (a register call that is refused later on, as a seccomp filter
    // may do). It stays taken and the slab stays mapped until the ring goes: losing a slot is
    // better than losing the pages.
    entry.state = State::kPinned;
    return;
  }
  CHECK(slots_.Release(slot, 1));
  charge = std::move(entry.charge);
  if (!entry.has_tag && entry.state == State::kAwaitingTag) dropped = FreeEntry(index);
}

void BufferTable::TryClearWhole() {
  std::vector<Entry> dropped;
  MutexLock update(update_mutex_);
  if (!attached() || !IsOwner()) return;
  const QuietGuard quiet(quiescer_);
  if (quiet.is_quiet()) return ClearWhole(&dropped);
  has_deferred_.store(true, std::memory_order_release);
  quiescer_->Hurry();
}

void BufferTable::ClearWhole(std::vector<Entry>* dropped) {
  std::vector<WholeTable::Change> changes;
  std::vector<uint32_t> indices;
  {
    MutexLock lock(mutex_);
    for (uint32_t index = 0; index < entries_.size(); ++index) {
      if (entries_[index].state != State::kDeferred) continue;
      changes.push_back({entries_[index].slot, {}});
      indices.push_back(index);
    }
  }
  if (changes.empty()) return;
  const WholeTable::Applied cleared = whole_->Apply(changes);
  if (cleared.loss != 0) return LoseAll(cleared.loss, dropped);
  // The slots stay taken and the slabs mapped until they are cleared with others, or the ring goes.
  if (cleared.error != 0) return;
  MutexLock lock(mutex_);
  for (const uint32_t index : indices) LetGo(index, dropped);
}

void BufferTable::LoseAll(int error, std::vector<Entry>* dropped) {
  loss_error_.store(error, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    for (uint32_t index = 0; index < entries_.size(); ++index) {
      if (entries_[index].state != State::kFree) LetGo(index, dropped);
    }
  }
  if (RingQuiescer* const quiescer = quiescer_if_needed()) quiescer->OnPinsLost();
}

void BufferTable::AskForPromotion() {
  promotion_asked_.store(true, std::memory_order_relaxed);
  has_deferred_.store(true, std::memory_order_release);
  if (!changes_whole_) {
    SignalEngine(&Engine::Wake);  // the owner may wait in a reap
    return;
  }
  MutexLock update(update_mutex_);  // Detach takes the quiescer away under it
  if (RingQuiescer* const quiescer = quiescer_if_needed()) quiescer->Hurry();
}

void BufferTable::RunDeferred() {
  if (!has_deferred() || !attached() || !IsOwner()) return;
  // Acquires what AskForPromotion wrote, if this takes back its flag.
  has_deferred_.exchange(false, std::memory_order_acq_rel);
  if (changes_whole_) return TryClearWhole();
  for (;;) {
    uint32_t index = 0;
    {
      MutexLock lock(mutex_);
      while (index < entries_.size() && entries_[index].state != State::kDeferred) ++index;
      if (index == entries_.size()) return;
    }
    ClearSlot(index);
  }
}

void BufferTable::AskForBuffers() {
  buffers_asked_.store(true, std::memory_order_relaxed);
  has_deferred_.store(true, std::memory_order_release);
  SignalEngine(&Engine::WakeAndSignal);
}

void BufferTable::SignalEngine(void (Engine::*signal)()) {
  Engine* engine = nullptr;
  {
    MutexLock lock(mutex_);
    if (engine_ == nullptr) return;
    engine = engine_;
    signals_.fetch_add(1, std::memory_order_relaxed);
  }
  (engine->*signal)();
  // Release: Detach returns after all uses of the engine.
  if (signals_.fetch_sub(1, std::memory_order_release) == 1) signals_.notify_all();
}

int BufferTable::CreateProvidedRing(uint32_t entry_count, std::unique_ptr<ProvidedRing>* out_ring) {
  MutexLock update(update_mutex_);
  return attached() ? engine_->CreateProvidedRing(entry_count, out_ring) : -EBADF;
}

void BufferTable::RemoveProvidedRing(ProvidedRing& ring) {
  MutexLock update(update_mutex_);
  if (attached() && engine_->IsOwner()) (void)ring.Unregister();
}

void BufferTable::OnTag(uint64_t token) {
  const uint32_t index = static_cast<uint32_t>(token);
  RefPtr<Slab> dropped;
  MutexLock lock(mutex_);
  if (index >= entries_.size()) return;
  Entry& entry = entries_[index];
  if (TagOf(index, entry.generation) != token || entry.state != State::kAwaitingTag) return;
  dropped = FreeEntry(index);
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
  // Before the ring is closed: closing returns budget late, unregistering first leaves no gap
  // (measured, 5.10 to 6.18).
  if (engine_->IsOwner()) (void)engine_->UnregisterBuffers();
  whole_.reset();
  {
    MutexLock lock(mutex_);
    engine_ = nullptr;
  }
  // Another thread may be inside SignalEngine, which writes to an eventfd and does not wait.
  for (uint32_t count = 0; (count = signals_.load(std::memory_order_acquire)) != 0;) {
    signals_.wait(count, std::memory_order_acquire);
  }
}

}  // namespace mooring
