#include "cpp/registration/buffer_table.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {

BufferTable::BufferTable(Engine* engine, RingQuiescer* quiescer)
    : engine_(engine),
      quiescer_(quiescer),
      info_(engine->info()),
      kernel_(KernelTable::Create(*engine, quiescer)),
      slots_(info_.fixed_buffer_count) {}

BufferTable::~BufferTable() { CHECK(!attached()); }

bool BufferTable::IsOwner() const {
  MutexLock lock(mutex_);  // Detach resets the engine under it
  return engine_ == nullptr || engine_->IsOwner();
}

bool BufferTable::BeginPin(const RefPtr<Slab>& slab, uint64_t offset, bool has_tag,
                           Pinned* pinned) {
  MutexLock lock(mutex_);
  const std::optional<uint32_t> slot = slots_.Acquire(1);
  if (!slot) {
    pinned->error = ENOSPC;
    return false;
  }
  pinned->slot = static_cast<int32_t>(*slot);
  pinned->key = entries_.Add(slab, offset, *slot, has_tag);
  return true;
}

void BufferTable::EndPin(RefPtr<PinCharge> charge, Pinned* pinned) {
  PinDirectory::Range range;
  {
    MutexLock lock(mutex_);
    PinEntries::Entry& entry = entries_.At(PinEntries::IndexOf(pinned->key));
    entry.size = pinned->size;
    entry.held.charge = charge;
    range = entry.range();
  }
  if (!traits().shares_slots) return;
  PinDirectory::Publish(range,
                        {this, engine_, static_cast<uint32_t>(pinned->slot), std::move(charge)});
}

void BufferTable::CancelPin(int error, Pinned* pinned) {
  PinEntries::Held dropped;  // the last reference goes after the lock
  MutexLock lock(mutex_);
  CHECK(slots_.Release(static_cast<uint32_t>(pinned->slot), 1));
  dropped = entries_.Free(PinEntries::IndexOf(pinned->key));
  pinned->slot = kNoBufferSlot;
  pinned->error = error;
}

BufferTable::Pinned BufferTable::Pin(const RefPtr<Slab>& slab, const Range& range) {
  Pinned pinned;
  Pin(slab, {&range, 1}, {&pinned, 1});
  return pinned;
}

void BufferTable::Pin(const RefPtr<Slab>& slab, std::span<const Range> ranges,
                      std::span<Pinned> out_pinned) {
  const auto refuse = [&](int error) {
    for (Pinned& pinned : out_pinned) pinned.error = error;
  };
  std::vector<PinEntries::Held> dropped;  // slabs are unmapped after the locks
  MutexLock update(update_mutex_);
  if (!attached()) return refuse(EBADF);
  const ChangeScope scope(*kernel_);
  if (!scope.is_granted()) return refuse(EBUSY);
  const KernelTable::Applied applied = Fill(slab, ranges, out_pinned);
  if (applied.loss_error != 0) InvalidateAll(applied.loss_error, &dropped);
}

KernelTable::Applied BufferTable::Fill(const RefPtr<Slab>& slab, std::span<const Range> ranges,
                                       std::span<Pinned> pinned) {
  const bool has_tag = traits().posts_tags;
  std::vector<KernelTable::Change> changes;  // of the first ranges, as far as there are slots
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (!BeginPin(slab, ranges[i].offset, has_tag, &pinned[i])) continue;
    changes.push_back({.slot = static_cast<uint32_t>(pinned[i].slot),
                       .range = {slab->base() + ranges[i].offset, ranges[i].size},
                       .tag = has_tag ? PinEntries::TagOf(pinned[i].key) : 0});
  }
  if (changes.empty()) return {};
  const KernelTable::Applied applied = kernel_->Apply(changes);
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].error != 0) {
      CancelPin(changes[i].error, &pinned[i]);
      continue;
    }
    pinned[i].size = ranges[i].size;
    EndPin(MakeRef<PinCharge>(info_.memlock_exempt ? 0 : ranges[i].charge_bytes), &pinned[i]);
  }
  return applied;
}

BufferTable::Pinned BufferTable::Clone(const RefPtr<Slab>& slab, uint64_t offset, uint64_t size,
                                       PinDirectory::Match match) {
  Pinned pinned;
  MutexLock update(update_mutex_);
  if (!attached() || !traits().shares_slots) {
    pinned.error = attached() ? ENOENT : EBADF;
    return pinned;
  }
  const ChangeScope scope(*kernel_);
  if (!scope.is_granted()) {
    pinned.error = EBUSY;
    return pinned;
  }
  if (!BeginPin(slab, offset, false, &pinned)) return pinned;
  PinDirectory::Cloned cloned = PinDirectory::Clone({slab.get(), offset, size}, match, this,
                                                    *kernel_, static_cast<uint32_t>(pinned.slot));
  if (cloned.size == 0) {
    CancelPin(ENOENT, &pinned);
    return pinned;
  }
  pinned.size = cloned.size;
  pinned.is_clone = true;
  EndPin(std::move(cloned.charge), &pinned);
  return pinned;
}

void BufferTable::Unpin(std::span<const uint64_t> keys) {
  bool any = false;
  {
    MutexLock lock(mutex_);
    // Detach, or a loss, may have freed an entry.
    for (const uint64_t key : keys) any |= entries_.Defer(key);
    if (!any) return;
    if (engine_ != nullptr && !engine_->IsOwner()) {
      has_deferred_.store(true, std::memory_order_release);
      return;
    }
  }
  ClearDeferred();
}

bool BufferTable::IsPinned(uint64_t key) const {
  MutexLock lock(mutex_);
  return entries_.IsPinned(key);
}

void BufferTable::ClearDeferred() {
  std::vector<PinEntries::Held> dropped;  // slabs are unmapped after the locks
  std::vector<uint32_t> indices;
  MutexLock update(update_mutex_);
  if (!attached()) return;
  const ChangeScope scope(*kernel_);
  if (!scope.is_granted()) {
    has_deferred_.store(true, std::memory_order_release);
    RequestChanges();
    return;
  }
  {
    MutexLock lock(mutex_);
    indices = entries_.TakeDeferred();
  }
  if (!indices.empty()) Clear(indices, &dropped);
}

void BufferTable::Clear(std::span<const uint32_t> indices, std::vector<PinEntries::Held>* dropped) {
  std::vector<KernelTable::Change> changes;
  std::vector<PinDirectory::Range> ranges;
  {
    MutexLock lock(mutex_);
    for (const uint32_t index : indices) {
      const PinEntries::Entry& entry = entries_.At(index);
      changes.push_back({.slot = entry.slot});
      ranges.push_back(entry.range());
    }
  }
  for (size_t i = 0; i < ranges.size() && traits().shares_slots; ++i)
    PinDirectory::Withdraw(ranges[i], this, changes[i].slot);
  const KernelTable::Applied applied = kernel_->Apply(changes);
  if (applied.loss_error != 0) return InvalidateAll(applied.loss_error, dropped);
  MutexLock lock(mutex_);
  for (size_t i = 0; i < indices.size(); ++i) {
    PinEntries::Entry& entry = entries_.At(indices[i]);
    if (changes[i].error != 0) {
      // The slot still pins the pages (a later register call that is refused, as a seccomp filter
      // may do). It stays taken and the slab stays mapped until the slot is cleared together with
      // later ones, or the ring is destroyed: losing a slot is better than losing the pages.
      entries_.DeferAgain(indices[i]);
      continue;
    }
    CHECK(slots_.Release(changes[i].slot, 1));
    entry.has_slot = false;
    dropped->push_back({nullptr, std::move(entry.held.charge)});
    // If another thread has reaped the tag already, the entry is free.
    if (!entry.has_tag && entry.state == PinEntries::State::kAwaitingTag)
      dropped->push_back(entries_.Free(indices[i]));
  }
}

void BufferTable::InvalidateAll(int error, std::vector<PinEntries::Held>* dropped) {
  loss_error_.store(error, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    for (PinEntries::Entry& entry : entries_.FreeAll()) {
      if (entry.has_slot) CHECK(slots_.Release(entry.slot, 1));
      dropped->push_back(std::move(entry.held));
    }
  }
  if (quiescer_ != nullptr) quiescer_->InvalidateLostPins();
}

void BufferTable::RequestChanges() {
  SignalRing([](Engine&, KernelTable& table) { table.RequestChanges(); });
}

void BufferTable::RequestPromotion() {
  promotion_requested_.store(true, std::memory_order_relaxed);
  has_deferred_.store(true, std::memory_order_release);
  RequestChanges();
}

void BufferTable::RunDeferred() {
  if (!has_deferred() || !attached() || !IsOwner()) return;
  // Acquires what RequestPromotion wrote, if this takes its flag back.
  has_deferred_.exchange(false, std::memory_order_acq_rel);
  ClearDeferred();
}

void BufferTable::RequestBufferCheck() {
  buffer_check_requested_.store(true, std::memory_order_relaxed);
  has_deferred_.store(true, std::memory_order_release);
  SignalRing([](Engine& engine, KernelTable&) { engine.WakeAndSignal(); });
}

void BufferTable::SignalRing(void (*signal)(Engine& engine, KernelTable& table)) {
  Engine* engine = nullptr;
  {
    MutexLock lock(mutex_);
    if (engine_ == nullptr) return;
    engine = engine_;
    signals_.fetch_add(1, std::memory_order_relaxed);
  }
  signal(*engine, *kernel_);
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
  PinEntries::Held dropped;  // after the lock
  MutexLock lock(mutex_);
  dropped = entries_.FreeByTag(token);
}

uint32_t BufferTable::awaited_tags() const {
  MutexLock lock(mutex_);
  return entries_.awaiting_tag_count();
}

uint64_t BufferTable::entry_visit_count() const {
  MutexLock lock(mutex_);
  return entries_.visit_count();
}

void BufferTable::Detach() {
  std::vector<PinEntries::Entry> dropped;  // slabs are unmapped after the locks
  MutexLock update(update_mutex_);
  if (!attached_.exchange(false, std::memory_order_acq_rel)) return;
  {
    MutexLock lock(mutex_);
    dropped = entries_.FreeAll();
  }
  // After this no other ring clones from here.
  for (const PinEntries::Entry& entry : dropped)
    PinDirectory::Withdraw(entry.range(), this, entry.slot);
  // Before the ring is closed: closing returns budget late, unregistering first leaves no gap
  // (measured, 5.10 to 6.18).
  kernel_->Close();
  {
    MutexLock lock(mutex_);
    engine_ = nullptr;
  }
  // Another thread may be inside SignalRing, which writes to an eventfd and does not wait.
  for (uint32_t count = 0; (count = signals_.load(std::memory_order_acquire)) != 0;) {
    signals_.wait(count, std::memory_order_acquire);
  }
}

}  // namespace mooring
