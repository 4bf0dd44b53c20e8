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
#include "cpp/registration/waiting_list.h"

namespace mooring {
namespace {

constexpr ErrorDetail kRingClosed = ConstantError(Code::kInvalidState, Retry::kNever, "the ring is closed",
                                                  "register with a ring that is open");
constexpr ErrorDetail kWrongThread =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "this ring has an owner thread, and this is another: the kernel refuses to register here",
                  "register on the thread that created the ring, or create the ring without OWNER_THREAD");

Status CheckOptions(const RegistrationOptions& options) {
  const uint64_t page_bytes = PageBytes();
  if (!IsAligned(options.extent_bytes_max, page_bytes) || options.extent_bytes_max > Registration::kExtentBytesMax) {
    return InvalidArgument(Format("extent_bytes_max is %" PRIu64 ", which is no multiple of the page size of %" PRIu64
                                  " bytes, or above 1 GiB",
                                  options.extent_bytes_max, page_bytes),
                           "pass a multiple of the page size up to 1 GiB, or 0 for 1 GiB");
  }
  if (options.provided_buffer_count > ProvidedBuffers::kCountMax) {
    return InvalidArgument(Format("provided_buffer_count is %" PRIu32, options.provided_buffer_count),
                           "pass at most 32768, the kernel's limit, or 0 for none");
  }
  if (options.policy != Policy::kPrefer && options.policy != Policy::kRequire && options.policy != Policy::kNever) {
    return InvalidArgument(Format("policy is %" PRIu32, static_cast<uint32_t>(options.policy)),
                           "pass PREFER, REQUIRE or NEVER");
  }
  return OkStatus();
}

}  // namespace

Registration::Registration(RefPtr<BufferTable> table, RefPtr<Slab> slab, const RegistrationOptions& options)
    : table_(std::move(table)), slab_(std::move(slab)), options_(options) {}

Registration::~Registration() {
  if (listed_) WaitingList::Remove(this);
  slab_->Unwatch(this);
  for (const Extent& extent : map_.load(std::memory_order_acquire)->extents) {
    if (extent.slot != kNoBufferSlot) table_->Unpin(extent.key);
  }
}

Result<RefPtr<Registration>> Registration::Create(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                                                  const RegistrationOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  if (!table->open()) return Status(kRingClosed);
  if (!table->IsOwner()) return Status(kWrongThread);
  RefPtr<Registration> registration = MakeRef<Registration>(std::move(table), std::move(slab), options);
  registration->Publish(registration->CutIntoExtents());
  if (options.policy != Policy::kNever) registration->PinExtents(Which::kAll, Effort::kPatient);
  if (options.policy == Policy::kRequire) {
    const RegistrationReport report = registration->Report();
    if (report.outcome != Outcome::kFixed) return RequireFailed(report);
  }
  if (options.provided_buffer_count != 0) {
    registration->provided_ = ProvidedBuffers::Create(registration->table_, registration->slab_,
                                                      options.provided_buffer_count, &registration->provided_error_);
  }
  // Without a table there is nothing to wait for.
  if (options.policy == Policy::kPrefer && registration->table().engine_info().fixed_buffer_count > 0) {
    registration->listed_ = true;
    WaitingList::Add(registration.get());
  }
  return registration;
}

// Extents end between two buffers and on a page boundary where that can be, so that a lease seldom crosses one and no
// page is charged twice.
std::vector<Extent> Registration::CutIntoExtents() const {
  std::vector<Extent> extents;
  const uint64_t most = options_.extent_bytes_max == 0 ? kExtentBytesMax : options_.extent_bytes_max;
  const uint64_t unit = std::lcm(slab_->buffer_bytes(), slab_->page_bytes());
  const uint64_t extent_bytes = unit <= most ? most - most % unit : most;
  for (uint64_t offset = 0; offset < slab_->total_bytes(); offset += extent_bytes) {
    Extent extent;
    extent.offset = offset;
    extent.size = std::min(extent_bytes, slab_->total_bytes() - offset);
    if (options_.policy == Policy::kNever) extent.reason = Reason::kPolicy;
    extents.push_back(extent);
  }
  return extents;
}

void Registration::PinExtents(Which which, Effort effort) {
  MutexLock promote(promote_mutex_);
  const SlotMap& before = *map_.load(std::memory_order_acquire);
  PinLadder ladder(*table_, slab_, options_.raise_memlock, effort);
  PinnedPrefix stopped;
  stopped.reason = PinLadder::TableReason(table_->engine_info(), ReadMemlockLimits());
  stopped.system_error = table_->engine_info().table_error;
  std::vector<Extent> extents;
  extents.reserve(before.extents.size() + 1);
  for (const Extent& extent : before.extents) {
    const bool wanted = which == Which::kAll || extent.reason == Reason::kMemlockLimit;
    if (extent.slot != kNoBufferSlot || !wanted) {
      extents.push_back(extent);
    } else {
      PinExtent(ladder, extent, &stopped, &extents);
    }
  }
  if (extents != before.extents) Publish(std::move(extents));
}

void Registration::Publish(std::vector<Extent> extents) {
  auto map = std::make_unique<SlotMap>();
  map->first_size = extents.front().size;
  map->first_slot = extents.front().slot;
  map->extents = std::move(extents);
  bool waits = false;
  for (const Extent& extent : map->extents) waits |= extent.reason == Reason::kMemlockLimit;
  MutexLock lock(mutex_);
  map_.store(map.get(), std::memory_order_release);
  waits_.store(waits, std::memory_order_relaxed);
  maps_.push_back(std::move(map));
}

void Registration::PinExtent(PinLadder& ladder, Extent extent, PinnedPrefix* stopped, std::vector<Extent>* extents) {
  while (extent.size > 0) {
    PinnedPrefix prefix = *stopped;
    if (stopped->reason == Reason::kNone) {
      prefix = ladder.Pin(extent.offset, extent.size);
      // Memory of one kind may follow memory of another, so a refused backing says nothing of the next extent.
      if (prefix.reason != Reason::kBackingRefused) *stopped = PinnedPrefix{0, {}, prefix.reason, prefix.system_error};
    }
    if (prefix.bytes_fixed > 0) {
      Extent pinned = extent;
      pinned.size = prefix.bytes_fixed;
      pinned.slot = prefix.pinned.slot;
      pinned.key = prefix.pinned.key;
      pinned.is_clone = prefix.pinned.is_clone;
      pinned.reason = Reason::kNone;
      pinned.system_error = 0;
      extents->push_back(pinned);
      extent.offset += prefix.bytes_fixed;
      extent.size -= prefix.bytes_fixed;
    }
    if (prefix.reason == Reason::kNone) continue;
    extent.reason = prefix.reason;
    extent.system_error = prefix.system_error;
    if (extent.size > 0) extents->push_back(extent);
    return;
  }
}

Status Registration::Promote() {
  if (!table_->open()) return Status(kRingClosed);
  if (options_.policy == Policy::kNever) return OkStatus();
  if (table_->IsOwner()) {
    PinExtents(Which::kAll, Effort::kPatient);
  } else {
    asked_.store(true, std::memory_order_relaxed);
    table_->AskForPromotion();
  }
  return OkStatus();
}

void Registration::Wake() {
  if (given_up_.load(std::memory_order_relaxed) || !table_->open()) return;
  if (!table_->IsOwner()) {
    if (waits_.load(std::memory_order_relaxed)) table_->AskForPromotion();
    return;
  }
  const bool asked = asked_.exchange(false, std::memory_order_relaxed);
  if (!asked && !waits_.load(std::memory_order_relaxed)) return;
  PinExtents(asked ? Which::kAll : Which::kWaiting, Effort::kPrompt);
}

int32_t Registration::SlotMap::Find(uint64_t offset, uint64_t size) const {
  // The last extent that begins at or before `offset`.
  auto next = std::upper_bound(extents.begin(), extents.end(), offset,
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

RegistrationReport Registration::MakeReport() const {
  const SlotMap& map = *map_.load(std::memory_order_acquire);
  RegistrationReport report;
  report.policy = options_.policy;
  report.extent_count = static_cast<uint32_t>(map.extents.size());
  report.bytes_requested = slab_->total_bytes();
  const bool attached = table_->attached();  // without its ring nothing is pinned
  for (const Extent& extent : map.extents) {
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
  RegistrationReport report = MakeReport();
  report.memlock = ReadMemlockLimits();
  report.memlock_used_bytes = MemlockLedger::used_bytes();
  const EngineInfo& engine = table_->engine_info();
  report.memlock_exempt = engine.memlock_exempt;
  Explain(report, engine.fixed_buffer_count, engine.remedy);
  return report;
}

}  // namespace mooring
