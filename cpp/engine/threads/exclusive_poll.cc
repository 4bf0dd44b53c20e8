#include "cpp/engine/threads/exclusive_poll.h"

#include <sys/stat.h>

#include "cpp/base/check.h"
#include "cpp/engine/threads/sockets.h"

namespace mooring {

ExclusivePoll::AcquireResult ExclusivePoll::Acquire(Task* task) {
  // With the number alone, a file would wait for another file that had the number before. For a
  // socket the inode is sufficient without the number. Other files may share an inode (anonymous
  // inodes).
  struct stat stat = {};
  ::fstat(task->current_fd(), &stat);
  const int fd = IsSocketOpcode(task->request.opcode) ? -1 : task->fd;
  task->exclusive_poll_key =
      ExclusivePollKey{fd, task->request.opcode == Opcode::kWrite, stat.st_dev, stat.st_ino};
  const MutexLock lock(mutex_);
  if (FindHolder(task->exclusive_poll_key) == nullptr) {
    Hold(task);
    return AcquireResult::kAcquired;
  }
  if (!task->Move(TaskState::kRunning, TaskState::kParked)) return AcquireResult::kCancelled;
  parked_.PushBack(task);
  return AcquireResult::kParked;
}

Task* ExclusivePoll::Release(Task* task) {
  DCHECK(task->holds_exclusive_poll);
  const MutexLock lock(mutex_);
  task->holds_exclusive_poll = false;
  Task** link = &holders_;
  while (*link != task) link = &(*link)->exclusive_poll_next;
  *link = task->exclusive_poll_next;
  Task* next = parked_.front();
  while (next != nullptr && !(next->exclusive_poll_key == task->exclusive_poll_key))
    next = next->list_next;
  if (next == nullptr) return nullptr;
  parked_.Remove(next);
  Hold(next);
  const bool moved = next->Move(TaskState::kParked, TaskState::kQueued);
  CHECK(moved);
  return next;
}

bool ExclusivePoll::Remove(Task* task, uint32_t seen) {
  const MutexLock lock(mutex_);
  if (!task->MoveFrom(seen, TaskState::kRunning)) return false;
  parked_.Remove(task);
  return true;
}

void ExclusivePoll::Hold(Task* task) {
  task->holds_exclusive_poll = true;
  task->exclusive_poll_next = holders_;
  holders_ = task;
}

Task* ExclusivePoll::FindHolder(const ExclusivePollKey& key) const {
  Task* task = holders_;
  while (task != nullptr && !(task->exclusive_poll_key == key)) task = task->exclusive_poll_next;
  return task;
}

}  // namespace mooring
