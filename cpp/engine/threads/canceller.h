// Canceller: finds a request in flight by its token and stops it where it is, if it can be stopped
// there.
//
// One that only waits (in a chain, behind a drain, for a worker, a descriptor, the clock or its
// turn) is stopped: 0. One that a worker is at goes on: -EALREADY; should it come to wait after
// all, it ends then. Every request so found still gets its one event, with -ECANCELED or with what
// it had done.
//
// Threading: any.
#ifndef MOORING_CPP_ENGINE_THREADS_CANCELLER_H_
#define MOORING_CPP_ENGINE_THREADS_CANCELLER_H_

#include <cstdint>

#include "cpp/engine/threads/exclusive_poll.h"
#include "cpp/engine/threads/poller.h"
#include "cpp/engine/threads/ready_queue.h"
#include "cpp/engine/threads/task.h"
#include "cpp/engine/threads/task_pool.h"

namespace mooring {

class Canceller {
 public:
  struct Answer {
    // Of the cancellation: 0, -ENOENT, -EALREADY.
    int32_t result;
    // The caller's now, to be finished with -ECANCELED; null where another thread does it.
    Task* to_finish;
  };

  Canceller(TaskPool& pool, ReadyQueue& queue, Poller& poller, ExclusivePoll& exclusive_poll)
      : pool_(pool), queue_(queue), poller_(poller), exclusive_poll_(exclusive_poll) {}

  // `self` is the task of the cancellation, if it has one: it does not find itself.
  Answer Cancel(uint64_t token, const Task* self);

 private:
  bool Stop(Task& task, uint32_t found, Answer& answer);
  bool StopHere(Task& task, uint32_t seen, Answer& answer);

  TaskPool& pool_;
  ReadyQueue& queue_;
  Poller& poller_;
  ExclusivePoll& exclusive_poll_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_CANCELLER_H_
