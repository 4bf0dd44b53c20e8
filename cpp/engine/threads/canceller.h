// Canceller: finds a request in flight by its token and stops it, if its state allows that.
//
// A request that only waits (in a chain, behind a drain, for a worker, a descriptor, the clock or
// the exclusive poll) is stopped: 0. A request that a worker executes continues: -EALREADY; if it
// has to wait later, it ends there. In both cases the request still gets its one event, with
// -ECANCELED or with the result of what it had done.
//
// Threading: any thread.
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
  struct CancelResult {
    // Result of the cancellation: 0, -ENOENT, -EALREADY.
    int32_t error;
    // Owned by the caller, which finishes it with -ECANCELED; null if another thread does that.
    Task* to_finish;
  };

  Canceller(TaskPool& pool, ReadyQueue& queue, Poller& poller, ExclusivePoll& exclusive_poll)
      : pool_(pool), queue_(queue), poller_(poller), exclusive_poll_(exclusive_poll) {}

  // `self` is the task of the cancellation, or null: it does not cancel itself.
  CancelResult Cancel(uint64_t token, const Task* self);

 private:
  bool Stop(Task& task, uint32_t found, CancelResult& result);
  bool StopInState(Task& task, uint32_t seen, CancelResult& result);

  TaskPool& pool_;
  ReadyQueue& queue_;
  Poller& poller_;
  ExclusivePoll& exclusive_poll_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_CANCELLER_H_
