#include "cpp/engine/threads/canceller.h"

#include <cerrno>

namespace mooring {

Canceller::Answer Canceller::Cancel(uint64_t token, const Work* self) {
  Answer answer = {-ENOENT, nullptr};
  pool_.Find(token,
             [&](Work& work, uint32_t word) { return &work != self && Stop(work, word, answer); });
  return answer;
}

// False when the request is over.
bool Canceller::Stop(Work& work, uint32_t found, Answer& answer) {
  uint32_t seen = found;
  while (Work::SameUse(seen, found) && Work::StateOf(seen) != WorkState::kFree) {
    if (StopHere(work, seen, answer)) return true;
    // It moved on meanwhile: every turn of this loop is a step forward of that work.
    seen = work.word.load(std::memory_order_acquire);
  }
  return false;
}

// False when the work's word is no longer `seen`.
bool Canceller::StopHere(Work& work, uint32_t seen, Answer& answer) {
  answer = {0, nullptr};
  const uint32_t queued_cancelled = Work::WithState(seen, WorkState::kQueuedCancelled);
  switch (Work::StateOf(seen)) {
    case WorkState::kHeld:
      return work.MoveFrom(seen, WorkState::kHeldCancelled);
    case WorkState::kArming:
    case WorkState::kFired:
      return work.MoveFrom(seen, WorkState::kArmingCancelled);
    case WorkState::kQueued:
      if (!work.MoveFrom(seen, WorkState::kQueuedCancelled)) return false;
      if (queue_.Remove(&work, queued_cancelled)) answer.to_finish = &work;
      return true;
    case WorkState::kWaiting:
      if (!work.MoveFrom(seen, WorkState::kRunning)) return false;
      answer.to_finish = &work;
      return true;
    case WorkState::kTimed:
      if (!waiter_.RemoveTimer(&work, seen)) return false;
      answer.to_finish = &work;
      return true;
    case WorkState::kParked:
      if (!turns_.Remove(&work, seen)) return false;
      answer.to_finish = &work;
      return true;
    case WorkState::kRunning:
      answer.result = -EALREADY;
      return work.MoveFrom(seen, WorkState::kRunningCancelled);
    case WorkState::kHeldCancelled:
    case WorkState::kQueuedCancelled:
    case WorkState::kRunningCancelled:
    case WorkState::kArmingCancelled:
      answer.result = -EALREADY;
      return true;
    case WorkState::kFree:
      break;
  }
  return false;
}

}  // namespace mooring
