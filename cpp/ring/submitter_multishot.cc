// Multishot operations on the submission side.
#include <utility>

#include "cpp/ring/operation_errors.h"
#include "cpp/ring/submitter.h"

namespace mooring {

const ErrorDetail* Submitter::StageMultishot(const Operation& operation) {
  if ((operation.flags & ~kRequestFixedFile) != 0) return &kUnknownFlags;
  if (operation.registration != nullptr && &operation.registration->table() != core_.table)
    return &kForeignRegistration;
  const uint32_t index = records_.Take();
  starter_.Begin(operation, index);
  has_multishots_ = true;
  core_.counters.submitted.Add(1);
  if (core_.multishots->Begin()) core_.engine->Wake();
  Restart(index);
  return nullptr;
}

void Submitter::Restart(uint32_t index) {
  if (starter_.Start(index, next_)) {
    ++next_;
    ++extra_count_;
    core_.counters.multishot_requests.Add(1);
    if (next_ >= batch_end_) Flush();
  } else {
    (*core_.multishots)[index].state.store(Multishot::State::kWaiting, std::memory_order_relaxed);
    waiting_[waiting_count_++] = index;
  }
}

// In order. Operations that still find no buffer stay in waiting_.
void Submitter::RestartWaiting() {
  const uint32_t count = std::exchange(waiting_count_, 0);
  for (uint32_t i = 0; i < count; ++i) Restart(waiting_[i]);
}

void Submitter::Resume() {
  MultishotTable& multishots = *core_.multishots;
  multishots.ClearResumeRequest();
  RestartWaiting();
  uint32_t index = 0;
  while (multishots.Pop(&index)) {
    // Acquire pairs with the release of the completion side, which has returned the entry to this
    // side.
    switch (multishots[index].state.load(std::memory_order_acquire)) {
      case Multishot::State::kIdle:
        Restart(index);
        break;
      case Multishot::State::kRequestInFlight:
        // The engine continues although the operation was cancelled: the cancel request arrived
        // while the engine delivered a completion.
        if (multishots[index].is_cancelled.load(std::memory_order_relaxed)) CancelMultishot(index);
        break;
      default:
        break;  // the operation has ended
    }
  }
  Flush();
}

}  // namespace mooring
