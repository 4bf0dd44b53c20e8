// ExclusivePoll: one read at a time, and one write, on a descriptor that can neither be read
// without waiting nor be a socket (a terminal, say; before Linux 6.4 a pipe too). poll(2) said that
// it is ready; were two to read then, the second would wait for more with a worker under it that
// nobody can call back.
//
// Works take turns by descriptor number, and by what stands behind it. What other processes read
// from the same file cannot be known here: then a worker does wait.
//
// Threading: any. A task that is parked here is kParked, and changes from that only under the mutex
// here.
//
//   if (exclusive_poll.Acquire(task) == ExclusivePoll::Acquired::kYes) { poll, read }
//   ...
//   if (Task* next = exclusive_poll.Release(task)) ready.PushBack(next);
#ifndef MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
#define MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_

#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class ExclusivePoll {
 public:
  enum class Acquired { kYes, kParked, kCancelled };

  // The caller owns `task` (kRunning) and keeps it, unless kParked.
  Acquired Acquire(Task* task);
  // `task` had the turn and is done with it. Returns the one that has it now, as kQueued and the
  // caller's; or null.
  Task* Release(Task* task);
  // Takes a parked one out, as kRunning and the caller's, if its word still is `seen`.
  bool Remove(Task* task, uint32_t seen);

 private:
  void Hold(Task* task) REQUIRES(mutex_);
  Task* FindHolder(const ExclusivePollKey& key) const REQUIRES(mutex_);

  Mutex mutex_;
  // Few: most files are regular, and most others need no exclusive_poll. Linked by
  // Task::exclusive_poll_next, as a holder may lie in the ready queue as well.
  Task* holders_ GUARDED_BY(mutex_) = nullptr;
  TaskList parked_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
