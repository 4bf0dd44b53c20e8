// DrainGate: the drains of a threads engine. A chain that contains a drain starts when all requests
// accepted before it have completed. Requests accepted after it start when the chain has completed.
// Until then the gate holds them, in order.
//
// It counts: the gate stores with each held chain the number of requests accepted before it, and
// compares that with the number of events published. A cancellation outside of a chain is not part
// of this order: it would have to wait for the request that it is to end.
//
// Threading: Accept and Hold belong to the submission side. Release: any thread; it must be called
// after every publication of events while the gate holds a chain.
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

  // Counts a new chain of `length` requests. True: the caller starts it. False: it calls Hold.
  bool Accept(uint32_t length, bool drain);
  // Holds the chain for which Accept returned false. All its tasks are kHeld.
  void Hold(Task* head, uint32_t length, bool drain);
  // Submission side: true if all accepted requests have completed.
  bool NothingInFlight() const { return CompletedCount() >= accepted_count_; }
  // Announces events of requests that did not go through Accept. Call it before their publication.
  void CountUnordered(uint32_t count) { unordered_.fetch_add(count, std::memory_order_seq_cst); }
  // Returns the head of a chain that may start now (still kHeld), or null. Call it until null.
  Task* Release();

 private:
  // The number of accepted requests that have completed, or a smaller number. A thread that makes
  // it smaller (CountUnordered) calls Release afterwards.
  uint64_t CompletedCount() const;

  const EventQueue& events_;
  uint64_t accepted_count_ = 0;  // submission side
  // Submission side: the last value of drain_end_ that CompletedCount is known to have reached.
  uint64_t passed_drain_end_ = 0;
  std::atomic<uint64_t> unordered_{0};
  std::atomic<uint32_t> held_count_{0};  // chains; written under the mutex
  // The value of CompletedCount at which the drain that was started last has completed.
  std::atomic<uint64_t> drain_end_{0};
  Mutex mutex_;
  TaskList held_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_DRAIN_GATE_H_
