// Cancellation on the submission side.
//
// Only this side begins operations, so no record starts to match while a cancellation runs. The
// completion side may finish an operation at any time: its record then has another generation, and
// a cancel request for it finds nothing (-ENOENT).
#include <algorithm>

#include "cpp/ring/operation_errors.h"
#include "cpp/ring/submitter.h"

namespace mooring {

bool Submitter::Matches(uint32_t index, uint64_t user_data) const {
  const Record& record = records_[index];
  return record.opcode != static_cast<uint16_t>(Opcode::kCancel) &&
         record.user_data.load(std::memory_order_relaxed) == user_data;
}

// The scan may visit a million records, so there is one, and its result is kept in matches_.
uint32_t Submitter::CollectMatches(uint64_t user_data) {
  uint32_t count = 0;
  records_.ScanInFlight([&](uint32_t index) {
    if (Matches(index, user_data)) matches_[count++] = index;
    return true;
  });
  return count;
}

void Submitter::PushCancel(uint32_t index, uint64_t own_token) {
  const uint32_t generation = records_[index].generation.load(std::memory_order_relaxed);
  Request& request = *next_++;
  ++extra_count_;
  request = Request{};
  request.opcode = Opcode::kCancel;
  request.size64 = RecordPool::TokenOf(index, generation);
  request.token = own_token;
  if (next_ >= batch_end_) Flush();
}

bool Submitter::PushDetachedCancel(uint32_t index) {
  if (core_.cancels.load(std::memory_order_acquire) >= records_.capacity()) return false;
  core_.cancels.fetch_add(1, std::memory_order_acq_rel);
  PushCancel(index, kDetachedToken);
  return true;
}

void Submitter::CancelMultishot(uint32_t index) {
  Multishot& multishot = (*core_.multishots)[index];
  multishot.is_cancelled.store(true, std::memory_order_relaxed);
  if (multishot.state.load(std::memory_order_acquire) != Multishot::State::kRequestInFlight) return;
  // Without room for a cancel request, the operation is cancelled after its next completion.
  if (records_.IsInFlight(index)) (void)PushDetachedCancel(index);
}

// Multishot operations without a request in flight have nothing to cancel: Resume ends them.
void Submitter::FlushCancels() {
  if (has_multishots_) {
    Resume();
  } else {
    Flush();
  }
}

bool Submitter::StageCancel(const Operation& operation, const ErrorDetail** refusal) {
  if (operation.flags != 0) {
    *refusal = &kUnknownFlags;
    return false;
  }
  Flush();  // so that the engine can find the operations of this batch
  const uint32_t matches = CollectMatches(operation.offset);
  if (core_.cancels.load(std::memory_order_acquire) + matches > records_.capacity()) return false;

  const uint32_t own = records_.Take();
  Record& record = records_[own];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.registration = nullptr;
  record.lease_held = false;
  record.path = Path::kNone;
  // A multishot operation always counts as found: it also ends if it has no request in flight.
  uint32_t multishots = 0;
  uint32_t pending = 0;
  for (uint32_t i = 0; i < matches; ++i) {
    const uint32_t index = matches_[i];
    if (!records_.IsInFlight(index)) continue;  // it has completed since the scan
    if (IsMultishot(records_[index].opcode)) {
      CancelMultishot(index);
      ++multishots;
    } else {
      matches_[pending++] = index;
    }
  }
  // All counts are final before the first request is pushed: PushCancel may flush, and events can
  // then arrive on the completion side.
  record.progress.cancel.found = multishots;
  record.progress.cancel.pending = std::max(pending, 1u);
  record.size = pending;
  core_.cancels.fetch_add(pending, std::memory_order_acq_rel);
  core_.counters.submitted.Add(1);
  const uint64_t own_token =
      RecordPool::TokenOf(own, record.generation.load(std::memory_order_relaxed));
  for (uint32_t i = 0; i < pending; ++i) PushCancel(matches_[i], own_token);
  if (pending == 0) {
    // There is nothing to cancel: a nop completes the CANCEL.
    Request& request = *next_++;
    ++extra_count_;
    request = Request{};
    request.token = own_token;
  }
  if (multishots > 0) Resume();
  return true;
}

std::optional<uint32_t> Submitter::CancelDetached(uint64_t user_data) {
  Flush();
  uint32_t found = 0;
  bool has_room = true;
  records_.ScanInFlight([&](uint32_t index) {
    if (!Matches(index, user_data)) return true;
    if (IsMultishot(records_[index].opcode)) {
      CancelMultishot(index);
    } else {
      has_room = PushDetachedCancel(index);
    }
    found += has_room;
    return has_room;
  });
  if (!has_room) {
    Flush();
    return std::nullopt;
  }
  FlushCancels();
  return found;
}

void Submitter::CancelAll() {
  Flush();
  records_.ScanInFlight([&](uint32_t index) {
    if (!IsMultishot(records_[index].opcode)) return PushDetachedCancel(index);
    CancelMultishot(index);
    return true;
  });
  FlushCancels();
}

}  // namespace mooring
