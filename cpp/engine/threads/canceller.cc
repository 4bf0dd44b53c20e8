#include "cpp/engine/threads/canceller.h"

#include <cerrno>

namespace mooring {

Canceller::CancelResult Canceller::Cancel(uint64_t token, const Task* self) {
  CancelResult result = {-ENOENT, nullptr};
  pool_.Find(token,
             [&](Task& task, uint32_t word) { return &task != self && Stop(task, word, result); });
  return result;
}

// False if the request has completed.
bool Canceller::Stop(Task& task, uint32_t found, CancelResult& result) {
  uint32_t seen = found;
  while (Task::SameUse(seen, found) && Task::StateOf(seen) != TaskState::kFree) {
    if (StopInState(task, seen, result)) return true;
    // The state has changed since it was read: each iteration of this loop is one step of that
    // task.
    seen = task.word.load(std::memory_order_acquire);
  }
  return false;
}

// False if the word of the task is no longer `seen`.
bool Canceller::StopInState(Task& task, uint32_t seen, CancelResult& result) {
  result = {0, nullptr};
  const uint32_t queued_cancelled = Task::WithState(seen, TaskState::kQueuedCancelled);
  switch (Task::StateOf(seen)) {
    case TaskState::kHeld:
      return task.MoveFrom(seen, TaskState::kHeldCancelled);
    case TaskState::kArming:
    case TaskState::kFired:
      return task.MoveFrom(seen, TaskState::kArmingCancelled);
    case TaskState::kQueued:
      if (!task.MoveFrom(seen, TaskState::kQueuedCancelled)) return false;
      if (queue_.Remove(&task, queued_cancelled)) result.to_finish = &task;
      return true;
    case TaskState::kWaiting:
      if (!task.MoveFrom(seen, TaskState::kRunning)) return false;
      result.to_finish = &task;
      return true;
    case TaskState::kTimed:
      if (!poller_.RemoveTimer(&task, seen)) return false;
      result.to_finish = &task;
      return true;
    case TaskState::kParked:
      if (!exclusive_poll_.Remove(&task, seen)) return false;
      result.to_finish = &task;
      return true;
    case TaskState::kRunning:
      result.error = -EALREADY;
      return task.MoveFrom(seen, TaskState::kRunningCancelled);
    case TaskState::kHeldCancelled:
    case TaskState::kQueuedCancelled:
    case TaskState::kRunningCancelled:
    case TaskState::kArmingCancelled:
      result.error = -EALREADY;
      return true;
    case TaskState::kFree:
      break;
  }
  return false;
}

}  // namespace mooring
