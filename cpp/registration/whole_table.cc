#include "cpp/registration/whole_table.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cpp/os/pages.h"

namespace mooring {
namespace {

bool IsEmpty(const iovec& range) { return range.iov_base == nullptr; }

}  // namespace

WholeTable::WholeTable(Engine& engine, RingQuiescer* quiescer)
    : KernelTable(engine, {.slot_count_max = kSlotCountMax,
                           .may_refuse_for_now = true,
                           .sets_slots_together = true}),
      quiescer_(quiescer) {}

bool WholeTable::TryBegin() { return quiescer_ == nullptr || quiescer_->TryQuiesce(); }

void WholeTable::End() {
  if (quiescer_ != nullptr) quiescer_->Resume();
}

void WholeTable::RequestChanges() {
  if (quiescer_ != nullptr) quiescer_->RequestQuiet();
}

KernelTable::Applied WholeTable::Apply(std::span<Change> changes) {
  const Outcome outcome = Replace(changes);
  for (Change& change : changes) change.error = outcome.error;
  return {outcome.loss_error};
}

WholeTable::Outcome WholeTable::Replace(std::span<const Change> changes) {
  std::vector<iovec> wanted = ranges_;
  for (const Change& change : changes) {
    if (change.slot >= wanted.size()) wanted.resize(change.slot + 1);
    wanted[change.slot] = change.range;
  }
  while (!wanted.empty() && IsEmpty(wanted.back())) wanted.pop_back();
  // Before the old table is unregistered.
  if (std::any_of(wanted.begin(), wanted.end(), IsEmpty)) {
    if (const int error = MapFiller(); error != 0) return {error};
  }
  if (const int error = -engine().UnregisterBuffers(); error != 0) return {error};
  const int error = Register(wanted);
  if (error == 0) {
    ranges_.swap(wanted);
    return {};
  }
  const int loss_error = Register(ranges_);
  if (loss_error != 0) {
    ranges_.clear();
    filler_charge_.reset();
  }
  return {error, loss_error};
}

int WholeTable::Register(const std::vector<iovec>& ranges) {
  if (ranges.empty()) {
    filler_charge_.reset();
    return 0;
  }
  std::vector<iovec> dense = ranges;
  uint64_t filler_bytes = 0;
  for (iovec& range : dense) {
    if (!IsEmpty(range)) continue;
    range = {filler_.data(), filler_.size_bytes()};
    // The same page is charged once for each slot that holds it (measured, 5.10 to 7.0).
    filler_bytes += filler_.size_bytes();
  }
  if (const int error = -engine().RegisterBuffers(dense); error != 0) return error;
  if (engine().info().memlock_exempt) filler_bytes = 0;
  if (filler_charge_ && filler_charge_->bytes() == filler_bytes) return 0;
  filler_charge_ = filler_bytes > 0 ? MakeRef<PinCharge>(filler_bytes) : nullptr;
  return 0;
}

int WholeTable::MapFiller() {
  if (filler_.data() != nullptr) return 0;
  auto mapped = Mapping::Anonymous({.size_bytes = PageBytes()});
  if (!mapped.ok()) return ENOMEM;
  filler_ = std::move(mapped).value();
  // Both are optional: a huge page would cost more, and a fork child that has the page copies it.
  (void)filler_.AdviseHugePages(HugePageAdvice::kAvoid);
  (void)filler_.DontFork();
  return 0;
}

void WholeTable::Close() {
  if (engine().IsOwner()) (void)engine().UnregisterBuffers();
  ranges_.clear();
  filler_charge_.reset();
  filler_ = Mapping();
}

}  // namespace mooring
