// DrainGate: the drains of a threads engine. A chain with a drain in it starts when all requests
// accepted before it have completed, and those accepted after it start when it has completed; until
// then they are held here, in order.
//
// It counts: a chain is held with the number of requests accepted before it, and compares that with
// the number of events published. Cancellations that stand alone are outside of this order: they
// would have to wait for the very request that they are to end.
//
// Threading: Accept and Hold belong to the submission side; Release takes any thread, and must be
// called after every publication while anything is held.
#ifndef MOORING_CPP_ENGINE_THREADS_DRAIN_GATE_H_
#define MOORING_CPP_ENGINE_THREADS_DRAIN_GATE_H_

#include <atomic>
#include <cstdint>

#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/event_queue.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class DrainGate {
 public:
  explicit DrainGate(const EventQueue& events) : events_(events) {}

  // A chain of `length` requests has come. True: start it. False: Hold it.
  bool Accept(uint32_t length, bool drain);
  // The chain that Accept spoke of; all its tasks are kHeld.
  void Hold(Task* head, uint32_t length, bool drain);
  // Submission side: all that was accepted has completed.
  bool NothingInFlight() const { return CompletedCount() >= accepted_count_; }
  // Events will be published that are of no requests that Accept has seen. Before they are.
  void CountOutsiders(uint32_t count) { outsiders_.fetch_add(count, std::memory_order_seq_cst); }
  // The head of a chain that may start now (still kHeld), or null. Until it returns null.
  Task* Release();

 private:
  // Requests of Accept that have completed, or fewer. Whoever makes it fewer calls Release
  // afterwards.
  uint64_t CompletedCount() const;

  const EventQueue& events_;
  uint64_t accepted_count_ = 0;  // submission side
  uint64_t drained_over_ =
      0;  // submission side: the drained_count_ that is known to have been reached
  std::atomic<uint64_t> outsiders_{0};
  std::atomic<uint32_t> held_count_{0};  // chains; written under the mutex
  // Completed requests at which the last drain that was started is over.
  std::atomic<uint64_t> drained_count_{0};
  Mutex mutex_;
  TaskList held_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_DRAIN_GATE_H_
