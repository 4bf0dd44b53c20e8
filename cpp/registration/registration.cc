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
  for (const Extent& extent : extents_) {
    if (extent.slot != kNoBufferSlot) table_->Unpin(extent.key);
  }
}

Result<RefPtr<Registration>> Registration::Create(RefPtr<BufferTable> table, RefPtr<Slab> slab,
                                                  const RegistrationOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  if (!table->open()) return Status(kRingClosed);
  if (!table->IsOwner()) return Status(kWrongThread);
  RefPtr<Registration> registration = MakeRef<Registration>(std::move(table), std::move(slab), options);
  registration->CutIntoExtents();
  if (options.policy != Policy::kNever) registration->PinExtents();
  if (options.policy == Policy::kRequire) {
    const RegistrationReport report = registration->Report();
    if (report.outcome != Outcome::kFixed) return RequireFailed(report);
  }
  return registration;
}

// Extents end between two buffers and on a page boundary where that can be, so that a lease seldom crosses one and no
// page is charged twice.
void Registration::CutIntoExtents() {
  const uint64_t most = options_.extent_bytes_max == 0 ? kExtentBytesMax : options_.extent_bytes_max;
  const uint64_t unit = std::lcm(slab_->buffer_bytes(), slab_->page_bytes());
  const uint64_t extent_bytes = unit <= most ? most - most % unit : most;
  for (uint64_t offset = 0; offset < slab_->total_bytes(); offset += extent_bytes) {
    Extent extent;
    extent.offset = offset;
    extent.size = std::min(extent_bytes, slab_->total_bytes() - offset);
    if (options_.policy == Policy::kNever) extent.reason = Reason::kPolicy;
    extents_.push_back(extent);
  }
}

void Registration::PinExtents() {
  PinLadder ladder(*table_, slab_, options_.raise_memlock);
  PinnedPrefix stopped;
  stopped.reason = PinLadder::TableReason(table_->engine_info(), ReadMemlockLimits());
  stopped.system_error = table_->engine_info().table_error;
  std::vector<Extent> extents;
  extents.reserve(extents_.size() + 1);
  for (const Extent& extent : extents_) {
    if (extent.slot != kNoBufferSlot) {
      extents.push_back(extent);
    } else {
      PinExtent(ladder, extent, &stopped, &extents);
    }
  }
  MutexLock lock(mutex_);
  extents_ = std::move(extents);
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
  if (!table_->IsOwner()) return Status(kWrongThread);
  if (options_.policy != Policy::kNever) PinExtents();
  return OkStatus();
}

int32_t Registration::SlotForSlow(uint64_t offset, uint64_t size) const {
  // The last extent that begins at or before `offset`.
  auto next = std::upper_bound(extents_.begin(), extents_.end(), offset,
                               [](uint64_t value, const Extent& extent) { return value < extent.offset; });
  const Extent& extent = *(next - 1);
  return offset + size <= extent.offset + extent.size ? extent.slot : kNoBufferSlot;
}

bool Registration::ExtentAt(uint32_t index, Extent* out_extent) const {
  MutexLock lock(mutex_);
  if (index >= extents_.size()) return false;
  *out_extent = extents_[index];
  if (!table_->attached()) out_extent->slot = kNoBufferSlot;
  return true;
}

RegistrationReport Registration::MakeReport() const {
  RegistrationReport report;
  report.policy = options_.policy;
  report.extent_count = static_cast<uint32_t>(extents_.size());
  report.bytes_requested = slab_->total_bytes();
  const bool attached = table_->attached();  // without its ring nothing is pinned
  for (const Extent& extent : extents_) {
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
  RegistrationReport report;
  {
    MutexLock lock(mutex_);
    report = MakeReport();
  }
  report.memlock = ReadMemlockLimits();
  report.memlock_used_bytes = MemlockLedger::used_bytes();
  const EngineInfo& engine = table_->engine_info();
  report.memlock_exempt = engine.memlock_exempt;
  Explain(report, engine.fixed_buffer_count, engine.remedy);
  return report;
}

}  // namespace mooring
