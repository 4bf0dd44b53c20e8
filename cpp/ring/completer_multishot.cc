// Multishot operations on the completion side.
#include <cerrno>
#include <utility>

#include "cpp/ring/completer.h"

namespace mooring {
namespace {

// For an operation whose request has ended with `result` and no completion: whether it needs
// another request rather than an end.
bool CanRestart(const Multishot& multishot, bool receives, int32_t result) {
  if (multishot.final_result != 0) return false;
  // The kernel found no buffer for the next bytes.
  if (receives && multishot.is_engine_multishot && result == -ENOBUFS) return true;
  // This kernel cannot do a multishot accept. A socket that does not listen fails in the same way;
  // the single accept that follows then fails, too.
  return !receives && multishot.is_engine_multishot && !multishot.has_delivered &&
         result == -EINVAL;
}

}  // namespace

// Received bytes or an accepted descriptor are a completion with MORE. The end of the stream, an
// error or a cancellation is the final completion.
uint32_t Completer::CompleteMultishot(const Event& event, uint32_t index, Completion* out) {
  const Record& record = records_[index];
  Multishot& multishot = (*core_.multishots)[index];
  const bool receives = record.registration != nullptr;
  const bool has_more = (event.flags & kEventMore) != 0;
  const int32_t result = multishot.final_result != 0 ? multishot.final_result : event.result;
  Lease lease = TakeLease(event, record, multishot);
  const bool delivers = result > 0 || (result == 0 && !receives);
  if (!delivers && lease.generation != 0)
    (void)record.registration->slab().Release(std::exchange(lease, Lease{}));
  if (delivers) {
    multishot.has_delivered = true;
    *out = Completion{.user_data = record.user_data.load(std::memory_order_relaxed),
                      .result = result,
                      .flags = kCompletionMore,
                      .path = record.path,
                      .lease_first_index = lease.first_index,
                      .lease_generation = lease.generation};
    core_.counters.multishot_completed.Add(1);
    if (receives) {
      core_.counters.recv.Add(1);
      core_.counters.recv_bytes.Add(static_cast<uint64_t>(result));
    }
    if (!has_more) {
      QueueForRestart(index);
    } else if (multishot.is_cancelled.load(std::memory_order_relaxed)) {
      core_.multishots->Enqueue(index);  // to be cancelled again
      has_queued_ = true;
    }
    return kNotFinal;
  }
  if (has_more) return kNoRecord;
  if (CanRestart(multishot, receives, result)) {
    if (result == -EINVAL) multishot.is_engine_multishot = false;
    QueueForRestart(index);
    return kNoRecord;
  }
  multishot.state.store(Multishot::State::kDone, std::memory_order_relaxed);
  core_.multishots->End();
  out->result = result;
  return index;
}

// The lease that the event has filled, or none.
Lease Completer::TakeLease(const Event& event, const Record& record, Multishot& multishot) {
  if (record.registration == nullptr) return {};
  if ((event.flags & kEventBuffer) != 0)
    return record.registration->provided()->Take(ProvidedIdOf(event.flags));
  return std::exchange(multishot.lease, Lease{});
}

// Release: the entry belongs to the submission side now.
void Completer::QueueForRestart(uint32_t index) {
  (*core_.multishots)[index].state.store(Multishot::State::kIdle, std::memory_order_release);
  core_.multishots->Enqueue(index);
  has_queued_ = true;
}

const Record* Completer::RecordOf(const Event& event) const {
  if ((event.token & (kBufferTagBit | kDetachedToken)) != 0) return nullptr;
  return &records_[RecordPool::IndexOf(event.token)];
}

}  // namespace mooring
