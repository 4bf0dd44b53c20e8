#include "cpp/engine/threads/canceller.h"

#include <cerrno>

namespace mooring {

Canceller::Answer Canceller::Cancel(uint64_t token, const Task* self) {
  Answer answer = {-ENOENT, nullptr};
  pool_.Find(token,
             [&](Task& task, uint32_t word) { return &task != self && Stop(task, word, answer); });
  return answer;
}

// False when the request is over.
bool Canceller::Stop(Task& task, uint32_t found, Answer& answer) {
  uint32_t seen = found;
  while (Task::SameUse(seen, found) && Task::StateOf(seen) != TaskState::kFree) {
    if (StopHere(task, seen, answer)) return true;
    // It moved on meanwhile: every turn of this loop is a step forward of that task.
    seen = task.word.load(std::memory_order_acquire);
  }
  return false;
}

// False when the task's word is no longer `seen`.
bool Canceller::StopHere(Task& task, uint32_t seen, Answer& answer) {
  answer = {0, nullptr};
  const uint32_t queued_cancelled = Task::WithState(seen, TaskState::kQueuedCancelled);
  switch (Task::StateOf(seen)) {
    case TaskState::kHeld:
      return task.MoveFrom(seen, TaskState::kHeldCancelled);
    case TaskState::kArming:
    case TaskState::kFired:
      return task.MoveFrom(seen, TaskState::kArmingCancelled);
    case TaskState::kQueued:
      if (!task.MoveFrom(seen, TaskState::kQueuedCancelled)) return false;
      if (queue_.Remove(&task, queued_cancelled)) answer.to_finish = &task;
      return true;
    case TaskState::kWaiting:
      if (!task.MoveFrom(seen, TaskState::kRunning)) return false;
      answer.to_finish = &task;
      return true;
    case TaskState::kTimed:
      if (!poller_.RemoveTimer(&task, seen)) return false;
      answer.to_finish = &task;
      return true;
    case TaskState::kParked:
      if (!exclusive_poll_.Remove(&task, seen)) return false;
      answer.to_finish = &task;
      return true;
    case TaskState::kRunning:
      answer.result = -EALREADY;
      return task.MoveFrom(seen, TaskState::kRunningCancelled);
    case TaskState::kHeldCancelled:
    case TaskState::kQueuedCancelled:
    case TaskState::kRunningCancelled:
    case TaskState::kArmingCancelled:
      answer.result = -EALREADY;
      return true;
    case TaskState::kFree:
      break;
  }
  return false;
}

}  // namespace mooring
