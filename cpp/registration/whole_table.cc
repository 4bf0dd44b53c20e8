#include "cpp/registration/whole_table.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cpp/os/pages.h"

namespace mooring {
namespace {

bool IsEmpty(const iovec& range) { return range.iov_base == nullptr; }

}  // namespace

WholeTable::Applied WholeTable::Apply(std::span<const Change> changes) {
  std::vector<iovec> wanted = ranges_;
  for (const Change& change : changes) {
    if (change.slot >= wanted.size()) wanted.resize(change.slot + 1);
    wanted[change.slot] = change.range;
  }
  while (!wanted.empty() && IsEmpty(wanted.back())) wanted.pop_back();
  // While nothing is undone yet.
  if (std::any_of(wanted.begin(), wanted.end(), IsEmpty)) {
    if (const int error = MapFiller(); error != 0) return {error};
  }
  if (const int error = -engine_.UnregisterBuffers(); error != 0) return {error};
  const int error = Register(wanted);
  if (error == 0) {
    ranges_.swap(wanted);
    return {};
  }
  const int loss = Register(ranges_);
  if (loss != 0) {
    ranges_.clear();
    filler_charge_.reset();
  }
  return {error, loss};
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
    filler_bytes +=
        filler_.size_bytes();  // the same page is charged for each slot (measured, 5.10 to 7.0)
  }
  if (const int error = -engine_.RegisterBuffers(dense); error != 0) return error;
  if (engine_.info().memlock_exempt) filler_bytes = 0;
  if (filler_charge_ && filler_charge_->bytes() == filler_bytes) return 0;
  filler_charge_ = filler_bytes > 0 ? MakeRef<PinCharge>(filler_bytes) : nullptr;
  return 0;
}

int WholeTable::MapFiller() {
  if (filler_.data() != nullptr) return 0;
  auto mapped = Mapping::Anonymous({.size_bytes = PageBytes()});
  if (!mapped.ok()) return ENOMEM;
  filler_ = std::move(mapped).value();
  // Neither is needed: a huge page would cost more, and a child that has the page only copies it.
  (void)filler_.AdviseHugePages(HugePageAdvice::kAvoid);
  (void)filler_.DontFork();
  return 0;
}

}  // namespace mooring
