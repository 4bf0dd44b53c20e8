// Cancellation, on the submission side.
#include <algorithm>

#include "cpp/ring/operation_errors.h"
#include "cpp/ring/submitter.h"

namespace mooring {

bool Submitter::Matches(const Record& record, uint64_t user_data) const {
  // The opcode is this side's own writing. Generation first: odd says that user_data is of an
  // operation in flight.
  return (record.generation.load(std::memory_order_relaxed) & 1) != 0 &&
         record.opcode != static_cast<uint16_t>(Opcode::kCancel) &&
         record.user_data.load(std::memory_order_relaxed) == user_data;
}

void Submitter::PushCancel(uint64_t target_token, uint64_t own_token) {
  Request& request = *next_++;
  ++extra_count_;
  request = Request{};
  request.opcode = Opcode::kCancel;
  request.size64 = target_token;
  request.token = own_token;
  if (next_ >= batch_end_) Flush();
}

bool Submitter::MatchesOnce(const Record& record, uint64_t user_data) const {
  return Matches(record, user_data) && !IsMultishot(record.opcode);
}

void Submitter::CancelMultishot(uint32_t index) {
  Multishot& multishot = (*core_.multishots)[index];
  multishot.is_cancelled.store(true, std::memory_order_relaxed);
  if (multishot.state.load(std::memory_order_acquire) != Multishot::State::kOut) return;
  const uint32_t generation = records_[index].generation.load(std::memory_order_relaxed);
  if ((generation & 1) == 0 || core_.cancels.load(std::memory_order_acquire) >= records_.capacity())
    return;
  core_.cancels.fetch_add(1, std::memory_order_acq_rel);
  PushCancel(RecordPool::TokenOf(index, generation), RingCore::kDetachedToken);
}

// Those that have no request out, which could be cancelled, end now.
void Submitter::EndCancelled() {
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
  Flush();  // so that operations of this batch can be found by the engine
  const uint64_t user_data = operation.offset;
  uint32_t matches = 0;
  for (uint32_t i = 0; i < records_.capacity(); ++i) matches += Matches(records_[i], user_data);
  if (core_.cancels.load(std::memory_order_acquire) + matches > records_.capacity()) return false;

  const uint32_t own = records_.Take();
  Record& record = records_[own];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.registration = nullptr;
  record.lease_held = false;
  record.path = Path::kNone;
  // Those that repeat are found for certain: what is left of them, between two requests, ends too.
  uint32_t repeating = 0;
  for (uint32_t i = 0; i < records_.capacity(); ++i) {
    if (!Matches(records_[i], user_data) || !IsMultishot(records_[i].opcode)) continue;
    CancelMultishot(i);
    ++repeating;
  }
  record.of.cancel.found = repeating;
  const uint64_t own_token =
      RecordPool::TokenOf(own, record.generation.load(std::memory_order_relaxed));
  // An operation that matched may complete meanwhile; its cancel request then finds nothing. None
  // can be added, for that is this side's work. So the tokens are taken first, and the count is set
  // before the first request goes out.
  uint32_t pending = 0;
  for (uint32_t i = 0; i < records_.capacity(); ++i) pending += MatchesOnce(records_[i], user_data);
  pending = std::min(pending, matches);
  record.size = pending;
  record.of.cancel.pending = std::max(pending, 1u);
  core_.cancels.fetch_add(pending, std::memory_order_acq_rel);
  core_.counters.submitted.Add(1);
  uint32_t pushed = 0;
  for (uint32_t i = 0; i < records_.capacity() && pushed < pending; ++i) {
    if (!MatchesOnce(records_[i], user_data)) continue;
    PushCancel(RecordPool::TokenOf(i, records_[i].generation.load(std::memory_order_relaxed)),
               own_token);
    ++pushed;
  }
  // Completed between the count and now: stand-ins that find nothing.
  for (; pushed < pending; ++pushed) PushCancel(RecordPool::TokenOf(own, 0), own_token);
  if (pending == 0) {
    // Nothing to cancel: a nop brings the completion.
    Request& request = *next_++;
    ++extra_count_;
    request = Request{};
    request.token = own_token;
  }
  if (repeating > 0) Resume();
  return true;
}

std::optional<uint32_t> Submitter::CancelDetached(uint64_t user_data) {
  Flush();
  uint32_t found = 0;
  for (uint32_t i = 0; i < records_.capacity(); ++i) {
    if (!Matches(records_[i], user_data)) continue;
    if (IsMultishot(records_[i].opcode)) {
      CancelMultishot(i);
      ++found;
      continue;
    }
    if (core_.cancels.load(std::memory_order_acquire) >= records_.capacity()) {
      Flush();
      return std::nullopt;
    }
    core_.cancels.fetch_add(1, std::memory_order_acq_rel);
    PushCancel(RecordPool::TokenOf(i, records_[i].generation.load(std::memory_order_relaxed)),
               RingCore::kDetachedToken);
    ++found;
  }
  EndCancelled();
  return found;
}

void Submitter::CancelAll() {
  Flush();
  for (uint32_t i = 0; i < records_.capacity(); ++i) {
    const uint32_t generation = records_[i].generation.load(std::memory_order_relaxed);
    if ((generation & 1) == 0) continue;
    if (IsMultishot(records_[i].opcode)) {
      CancelMultishot(i);
      continue;
    }
    if (core_.cancels.load(std::memory_order_acquire) >= records_.capacity()) break;
    core_.cancels.fetch_add(1, std::memory_order_acq_rel);
    PushCancel(RecordPool::TokenOf(i, generation), RingCore::kDetachedToken);
  }
  EndCancelled();
}

}  // namespace mooring
