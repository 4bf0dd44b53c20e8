// ExclusivePoll: allows one read and one write at a time on a descriptor that is no socket and
// takes no RWF_NOWAIT (a terminal; before Linux 6.4 also a pipe). poll(2) reports such a descriptor
// ready, but if two tasks then read it, the second one waits for more data and blocks its worker,
// where no cancellation reaches it.
//
// Accepts on a blocking listener and connects use it too (sockets.h). Tasks exclude each other by
// descriptor number and by the file behind it (ExclusivePollKey). Reads of the same file by other
// processes cannot be seen here; then a worker does block.
//
// Threading: any thread. A parked task is kParked; that state changes only under the mutex here.
//
//   if (exclusive_poll.Acquire(task) == ExclusivePoll::AcquireResult::kAcquired) { poll, read }
//   ...
//   if (Task* next = exclusive_poll.Release(task)) ready.PushBack(next);
#ifndef MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
#define MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_

#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class ExclusivePoll {
 public:
  enum class AcquireResult { kAcquired, kParked, kCancelled };

  // The caller owns `task` (kRunning), and still owns it unless the result is kParked.
  AcquireResult Acquire(Task* task);
  // `task` holds the exclusive poll and releases it. Returns the task that holds it now (kQueued,
  // owned by the caller), or null.
  Task* Release(Task* task);
  // Removes a parked task if its word still is `seen`: it is then kRunning and owned by the caller.
  bool Remove(Task* task, uint32_t seen);

 private:
  void Hold(Task* task) REQUIRES(mutex_);
  Task* FindHolder(const ExclusivePollKey& key) const REQUIRES(mutex_);

  Mutex mutex_;
  // A short list: most files are regular, and most others need no exclusive poll. Linked by
  // Task::exclusive_poll_next, because a holder may be in the ready queue at the same time.
  Task* holders_ GUARDED_BY(mutex_) = nullptr;
  TaskList parked_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
