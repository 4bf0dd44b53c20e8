// Turns: one read at a time, and one write, on a descriptor that can neither be read without
// waiting nor be a socket (a terminal, say; before Linux 6.4 a pipe too). poll(2) said that it is
// ready; were two to read then, the second would wait for more with a worker under it that nobody
// can call back.
//
// Works take turns by descriptor number, and by what stands behind it. What other processes read
// from the same file cannot be known here: then a worker does wait.
//
// Threading: any. A work that is parked here is kParked, and changes from that only under the mutex
// here.
//
//   if (turns.Take(work) == Turns::Taken::kYes) { poll, read }
//   ...
//   if (Work* next = turns.Pass(work)) ready.PushBack(next);
#ifndef MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
#define MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_

#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class Turns {
 public:
  enum class Taken { kYes, kParked, kCancelled };

  // The caller owns `work` (kRunning) and keeps it, unless kParked.
  Taken Take(Work* work);
  // `work` had the turn and is done with it. Returns the one that has it now, as kQueued and the
  // caller's; or null.
  Work* Pass(Work* work);
  // Takes a parked one out, as kRunning and the caller's, if its word still is `seen`.
  bool Remove(Work* work, uint32_t seen);

 private:
  void Hold(Work* work) REQUIRES(mutex_);
  Work* FindHolder(const TurnKey& key) const REQUIRES(mutex_);

  Mutex mutex_;
  // Few: most files are regular, and most others need no turns. Linked by Work::turn_next, as a
  // holder may lie in the ready queue as well.
  Work* holders_ GUARDED_BY(mutex_) = nullptr;
  WorkList parked_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EXCLUSIVE_POLL_H_
