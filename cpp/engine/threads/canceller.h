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

#include "cpp/engine/threads/ready_queue.h"
#include "cpp/engine/threads/exclusive_poll.h"
#include "cpp/engine/threads/poller.h"
#include "cpp/engine/threads/task.h"
#include "cpp/engine/threads/task_pool.h"

namespace mooring {

class Canceller {
 public:
  struct Answer {
    // Of the cancellation: 0, -ENOENT, -EALREADY.
    int32_t result;
    // The caller's now, to be finished with -ECANCELED; null where another thread does it.
    Work* to_finish;
  };

  Canceller(WorkPool& pool, ReadyQueue& queue, Waiter& waiter, Turns& turns)
      : pool_(pool), queue_(queue), waiter_(waiter), turns_(turns) {}

  // `self` is the work of the cancellation, if it has one: it does not find itself.
  Answer Cancel(uint64_t token, const Work* self);

 private:
  bool Stop(Work& work, uint32_t found, Answer& answer);
  bool StopHere(Work& work, uint32_t seen, Answer& answer);

  WorkPool& pool_;
  ReadyQueue& queue_;
  Waiter& waiter_;
  Turns& turns_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_CANCELLER_H_
