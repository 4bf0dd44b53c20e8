#include "cpp/registration/registration.h"

#include <algorithm>
#include <cinttypes>
#include <numeric>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/os/pages.h"
#include "cpp/registration/pin_ladder.h"
#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

constexpr ErrorDetail kRingClosed = ConstantError(
    Code::kInvalidState, Retry::kNever, "the ring is closed", "register with a ring that is open");
constexpr ErrorDetail kWrongThread =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "the policy is REQUIRE, and this ring has an owner thread, which is another: the "
                  "kernel refuses to register here",
                  "register on the thread that created the ring, or under PREFER, which leaves it "
                  "to that thread");

Status CheckOptions(const RegistrationOptions& options) {
  const uint64_t page_bytes = PageBytes();
  if (!IsAligned(options.extent_bytes_max, page_bytes) ||
      options.extent_bytes_max > Registration::kExtentBytesMax) {
    return InvalidArgument(
        Format("extent_bytes_max is %s, which is not a multiple of the page size of %s, or above 1 "
               "GiB",
               FormatBytes(options.extent_bytes_max).c_str(), FormatBytes(page_bytes).c_str()),
        "pass a multiple of the page size up to 1 GiB, or 0 for 1 GiB");
  }
  if (options.provided_buffer_count > ProvidedBuffers::kCountMax) {
    return InvalidArgument(
        Format("provided_buffer_count is %" PRIu32, options.provided_buffer_count),
        "pass at most 32768, the kernel's limit, or 0 for none");
  }
  if (options.policy != Policy::kPrefer && options.policy != Policy::kRequire &&
      options.policy != Policy::kNever) {
    return InvalidArgument(Format("policy is %" PRIu32, static_cast<uint32_t>(options.policy)),
                           "pass PREFER, REQUIRE or NEVER");
  }
  return OkStatus();
}

// Alerts the ring of `table`. It keeps the table, because a notification may end after the
// registration was destroyed (buffer_watch.h).
class RingAlerter : public BufferWatcher {
 public:
  explicit RingAlerter(RefPtr<BufferTable> table) : table_(std::move(table)) {}
  void OnBufferFree() override { table_->RequestBufferCheck(); }

 private:
  const RefPtr<BufferTable> table_;
};

}  // namespace

Registration::Registration(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                           const RegistrationOptions& options)
    : table_(std::move(table)),
      slab_(std::move(slab)),
      options_(options),
      watcher_(RefPtr<BufferWatcher>::Adopt(new RingAlerter(table_))) {}

Registration::~Registration() {
  RegistrationRegistry::Remove(this);
  slab_->Unwatch(watcher_.get());
  Unpin(map_.load(std::memory_order_acquire)->extents, 0);
}

void Registration::Unpin(const std::vector<Extent>& extents, uint64_t from_offset) {
  std::vector<uint64_t> keys;
  for (const Extent& extent : extents) {
    if (extent.offset >= from_offset && extent.slot != kNoBufferSlot) keys.push_back(extent.key);
  }
  if (!keys.empty()) table_->Unpin(keys);
}

Result<RefPtr<Registration>> Registration::Create(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                                                  const RegistrationOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  if (!table->open()) return Status(kRingClosed);
  if (options.policy == Policy::kRequire && !table->IsOwner()) return Status(kWrongThread);
  RefPtr<Registration> registration =
      MakeRef<Registration>(std::move(table), std::move(slab), options);
  RETURN_IF_ERROR(registration->AddToRegistry());
  if (options.policy == Policy::kPrefer) registration->PinExtents(Which::kAll, Effort::kWithPauses);
  if (options.provided_buffer_count != 0) {
    registration->provided_error_ =
        -ProvidedBuffers::Create(registration->table_, registration->slab_,
                                 options.provided_buffer_count, &registration->provided_);
  }
  return registration;
}

// This waits for a growth that is in progress. A later growth finds the registration in the
// registry. REQUIRE is pinned before that: a growth must not fail because of a registration whose
// creation fails.
Status Registration::AddToRegistry() {
  MutexLock growth(slab_->growth_mutex());
  Publish(CutIntoExtents(0, slab_->total_bytes()));
  if (options_.policy == Policy::kRequire) {
    PinExtents(Which::kAll, Effort::kWithPauses);
    const RegistrationReport report = Report();
    if (report.outcome != Outcome::kFixed) return RequireFailed(report);
  }
  RegistrationRegistry::Add(this);
  // Pins that were lost before the registry knew of this registration.
  if (table_->loss_error() != 0) InvalidateLostPins();
  return OkStatus();
}

// Extents end between two buffers, so that a lease seldom crosses an end. If possible they end on a
// page boundary too, so that no page is charged twice; extents of a growth may not.
std::vector<Extent> Registration::CutIntoExtents(uint64_t begin, uint64_t end) const {
  std::vector<Extent> extents;
  const uint64_t most =
      options_.extent_bytes_max == 0 ? kExtentBytesMax : options_.extent_bytes_max;
  const uint64_t unit = std::lcm(slab_->buffer_bytes(), slab_->page_bytes());
  const uint64_t extent_bytes = unit <= most ? most - most % unit : most;
  for (uint64_t offset = begin; offset < end; offset += extent_bytes) {
    Extent extent;
    extent.offset = offset;
    extent.size = std::min(extent_bytes, end - offset);
    if (options_.policy == Policy::kNever) extent.reason = Reason::kPolicy;
    extents.push_back(extent);
  }
  return extents;
}

PinnedPrefix Registration::Blocker() const {
  const EngineInfo& engine = table_->engine_info();
  PinnedPrefix blocker;
  blocker.reason = PinLadder::TableReason(engine, ReadMemlockLimits());
  blocker.system_error = engine.table_error;
  if (blocker.reason == Reason::kNone && !table_->IsOwner()) blocker.reason = Reason::kOwnerThread;
  if (options_.policy == Policy::kNever) blocker = PinnedPrefix{0, {}, Reason::kPolicy, 0};
  return blocker;
}

void Registration::PinExtents(Which which, Effort effort) {
  MutexLock promote(promote_mutex_);
  PinExtentsLocked(which, effort);
}

void Registration::PinExtentsLocked(Which which, Effort effort) {
  const SlotMap& before = *map_.load(std::memory_order_acquire);
  PinLadder ladder(*table_, slab_, options_.raise_memlock, effort);
  PinnedPrefix stopped = Blocker();
  std::vector<Extent> tried = before.extents;
  if (stopped.reason == Reason::kNone && table_->traits().sets_slots_together)
    PinTogether(ladder, which, &tried);
  std::vector<Extent> extents;
  extents.reserve(tried.size() + 1);
  for (const Extent& extent : tried) {
    const bool wanted = which == Which::kAll || IsRetryable(extent);
    if (extent.slot != kNoBufferSlot || !wanted) {
      extents.push_back(extent);
    } else {
      PinExtent(ladder, extent, &stopped, &extents);
    }
  }
  Publish(std::move(extents));
  RequestRetry(stopped);
}

void Registration::RequestRetry(const PinnedPrefix& stopped) {
  if (stopped.reason == Reason::kOwnerThread) RequestPromotionByOwner();
  if (IsRefusedForNow(stopped.reason, stopped.system_error)) table_->RequestPromotion();
}

void Registration::PinTogether(PinLadder& ladder, Which which, std::vector<Extent>* extents) {
  std::vector<BufferTable::Range> ranges;
  std::vector<Extent*> wanted;
  for (Extent& extent : *extents) {
    if (extent.slot != kNoBufferSlot || (which == Which::kRetryable && !IsRetryable(extent)))
      continue;
    ranges.push_back({.offset = extent.offset, .size = extent.size});
    wanted.push_back(&extent);
  }
  if (wanted.size() < 2) return;  // the ladder pins one
  const std::vector<BufferTable::Pinned> pinned = ladder.PinTogether(ranges);
  for (size_t i = 0; i < pinned.size(); ++i) {
    if (pinned[i].error == 0) wanted[i]->SetPinned(pinned[i]);
  }
}

void Registration::Publish(std::vector<Extent> extents) {
  MutexLock lock(mutex_);
  PublishLocked(std::move(extents));
}

void Registration::InvalidateLostPins() {
  MutexLock lock(mutex_);
  PublishLocked(map_.load(std::memory_order_relaxed)->extents);
}

void Registration::PublishLocked(std::vector<Extent> extents) {
  const int loss = table_->loss_error();
  for (Extent& extent : extents) {
    if (loss == 0 || extent.slot == kNoBufferSlot || !table_->attached() ||
        table_->IsPinned(extent.key))
      continue;
    extent.slot = kNoBufferSlot;
    extent.reason = PinLadder::Classify(loss, *table_);
    extent.system_error = loss;
  }
  const SlotMap* const before = map_.load(std::memory_order_relaxed);
  if (before != nullptr && before->extents == extents) return;
  auto map = std::make_unique<SlotMap>();
  map->first_size = extents.front().size;
  map->first_slot = extents.front().slot;
  map->extents = std::move(extents);
  bool has_retryable = false;
  for (const Extent& extent : map->extents) has_retryable |= IsRetryable(extent);
  // Without a table a retry cannot help.
  has_retryable = has_retryable && table_->engine_info().fixed_buffer_count > 0;
  map_.store(map.get(), std::memory_order_release);
  has_retryable_.store(has_retryable, std::memory_order_relaxed);
  maps_.push_back(std::move(map));
}

void Registration::PinExtent(PinLadder& ladder, Extent extent, PinnedPrefix* stopped,
                             std::vector<Extent>* extents) {
  while (extent.size > 0) {
    PinnedPrefix prefix = *stopped;
    if (stopped->reason == Reason::kNone) {
      prefix = ladder.Pin(extent.offset, extent.size);
      // The memory of the next extent may be of another kind, so a refused backing does not stop
      // the rest.
      if (prefix.reason != Reason::kBackingRefused)
        *stopped = PinnedPrefix{0, {}, prefix.reason, prefix.system_error};
    }
    if (prefix.bytes_fixed > 0) {
      Extent pinned = extent;
      pinned.size = prefix.bytes_fixed;
      pinned.SetPinned(prefix.pinned);
      extents->push_back(pinned);
      extent.offset += prefix.bytes_fixed;
      extent.size -= prefix.bytes_fixed;
    }
    if (prefix.reason == Reason::kNone) continue;
    // An extent that lacks memlock keeps that reason while the table refuses changes for now.
    if (!IsRefusedForNow(prefix.reason, prefix.system_error) || !IsRetryable(extent)) {
      extent.reason = prefix.reason;
      extent.system_error = prefix.system_error;
    }
    if (extent.size > 0) extents->push_back(extent);
    return;
  }
}

Status Registration::Promote() {
  if (!table_->open()) return Status(kRingClosed);
  if (options_.policy == Policy::kNever) return OkStatus();
  if (table_->IsOwner()) {
    PinExtents(Which::kAll, Effort::kWithPauses);
  } else {
    RequestPromotionByOwner();
  }
  return OkStatus();
}

bool Registration::GrowthIsRefused() const {
  return options_.policy == Policy::kRequire && !is_unusable() && !table_->IsOwner();
}

Status Registration::Grow(uint64_t total_bytes) {
  if (is_unusable()) return OkStatus();
  MutexLock promote(promote_mutex_);
  std::vector<Extent> extents = map_.load(std::memory_order_acquire)->extents;
  const uint64_t covered = extents.back().offset + extents.back().size;
  PinnedPrefix stopped = Blocker();
  PinLadder ladder(*table_, slab_, options_.raise_memlock, Effort::kWithPauses);
  for (const Extent& extent : CutIntoExtents(covered, total_bytes))
    PinExtent(ladder, extent, &stopped, &extents);
  if (options_.policy == Policy::kRequire) {
    bool is_fixed = true;
    for (const Extent& extent : extents)
      is_fixed &= extent.offset < covered || extent.slot != kNoBufferSlot;
    // If the ring was closed during this call, it needs no pins.
    if (!is_fixed && !is_unusable()) {
      const RegistrationReport report = ReportOf(extents);
      Unpin(extents, covered);
      return RequireFailed(report);
    }
  }
  Publish(std::move(extents));
  RequestRetry(stopped);
  return OkStatus();
}

void Registration::Shrink(uint64_t total_bytes) {
  MutexLock promote(promote_mutex_);
  const std::vector<Extent>& extents = map_.load(std::memory_order_acquire)->extents;
  std::vector<Extent> kept;
  for (const Extent& extent : extents) {
    if (extent.offset < total_bytes) kept.push_back(extent);
  }
  if (kept.size() == extents.size()) return;
  Publish(std::move(kept));
  Unpin(extents, total_bytes);
}

void Registration::RequestPromotionByOwner() {
  owner_requested_.store(true, std::memory_order_relaxed);
  table_->RequestPromotion();
}

void Registration::PromoteRetryable() {
  if (is_destroyed_.load(std::memory_order_relaxed) || !table_->open()) return;
  if (!table_->IsOwner()) {
    if (has_retryable_.load(std::memory_order_relaxed)) table_->RequestPromotion();
    return;
  }
  // Another thread is pinning, and may pause. This thread may have a ChangeScope, and must not keep
  // the ring quiet during that pause. The other thread requests a retry if the table refuses it.
  if (!promote_mutex_.try_lock()) {
    if (table_->traits().may_refuse_for_now) return;
    promote_mutex_.lock();
  }
  const bool for_owner = owner_requested_.exchange(false, std::memory_order_relaxed);
  if (for_owner || has_retryable_.load(std::memory_order_relaxed)) {
    PinExtentsLocked(for_owner ? Which::kAll : Which::kRetryable, Effort::kOneTry);
  }
  promote_mutex_.unlock();
}

int32_t Registration::SlotMap::Find(uint64_t offset, uint64_t size) const {
  // The last extent that begins at `offset` or before it.
  auto next =
      std::upper_bound(extents.begin(), extents.end(), offset,
                       [](uint64_t value, const Extent& extent) { return value < extent.offset; });
  const Extent& extent = *(next - 1);
  return offset + size <= extent.offset + extent.size ? extent.slot : kNoBufferSlot;
}

bool Registration::ExtentAt(uint32_t index, Extent* out_extent) const {
  const SlotMap& map = *map_.load(std::memory_order_acquire);
  if (index >= map.extents.size()) return false;
  *out_extent = map.extents[index];
  if (!table_->attached()) out_extent->slot = kNoBufferSlot;
  return true;
}

RegistrationReport Registration::MakeReport(const std::vector<Extent>& extents) const {
  RegistrationReport report;
  report.policy = options_.policy;
  report.extent_count = static_cast<uint32_t>(extents.size());
  report.bytes_requested = extents.back().offset + extents.back().size;
  const bool attached = table_->attached();  // without its ring nothing is pinned
  for (const Extent& extent : extents) {
    if (extent.slot != kNoBufferSlot) {
      report.bytes_fixed += attached ? extent.size : 0;
      report.bytes_cloned += attached && extent.is_clone ? extent.size : 0;
    } else if (report.reason == Reason::kNone) {
      report.reason = extent.reason;
      report.system_error = extent.system_error;
    }
  }
  report.outcome = report.bytes_fixed == report.bytes_requested ? Outcome::kFixed
                   : report.bytes_fixed > 0                     ? Outcome::kPartial
                                                                : Outcome::kCopy;
  return report;
}

RegistrationReport Registration::Report() const {
  return ReportOf(map_.load(std::memory_order_acquire)->extents);
}

RegistrationReport Registration::ReportOf(const std::vector<Extent>& extents) const {
  RegistrationReport report = MakeReport(extents);
  report.memlock = ReadMemlockLimits();
  report.memlock_used_bytes = MemlockLedger::used_bytes();
  const EngineInfo& engine = table_->engine_info();
  report.memlock_exempt = engine.memlock_exempt;
  Explain(report, engine.fixed_buffer_count, table_->traits().slot_count_max, engine.remedy);
  return report;
}

}  // namespace mooring
