// EventQueue: a lock-free queue with many producers and one consumer, which takes the events of
// completed requests to Reap.
//
// Lifecycle: it is sized at creation for all requests that can be in flight. Each request leaves
// one event and stays in flight until that event is reaped, so the queue cannot overflow.
//
// How it works: a producer claims a position, writes the event there, then its sequence number,
// which makes the event visible, and then adds it to `published_`. The consumer takes the visible
// events in sequence from its head. Before it sleeps, it stores the count at which it is to be
// woken and checks `published_` once more; the producer that reaches this count wakes it. Both
// sides use sequentially consistent operations, so at least one of them sees the other. At a
// position that is claimed but not yet visible the consumer stops until the next event; the count
// then wakes it.
//
// Threading: Publish, published and Wake: any thread. Reap and EventFd belong to the consumer, one
// call at a time.
#ifndef MOORING_CPP_ENGINE_THREADS_EVENT_QUEUE_H_
#define MOORING_CPP_ENGINE_THREADS_EVENT_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "cpp/base/deadline.h"
#include "cpp/base/result.h"
#include "cpp/base/status.h"
#include "cpp/base/unique_fd.h"
#include "cpp/engine/request.h"
#include "cpp/engine/threads/task_pool.h"

namespace mooring {

class EventQueue {
 public:
  // For as many events as `pool` has tasks. Reap frees the tasks of the events that it takes.
  explicit EventQueue(TaskPool& pool) : pool_(pool) {}
  Status Create();

  // Publishes the event of a task, which is kFree and which the caller no longer owns.
  void Publish(uint64_t token, int32_t result, const Task& task);
  // Publishes events of requests that have no task.
  void Publish(std::span<const Event> events);
  // The number of events published so far.
  uint64_t published() const { return published_.load(std::memory_order_seq_cst); }

  // As in engine.h.
  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline);
  void Wake();
  void WakeAndSignal();
  Result<int> EventFd();

 private:
  static constexpr uint32_t kNoTask = UINT32_MAX;
  static constexpr uint64_t kNoWaiter = UINT64_MAX;

  struct Slot {
    Event event;
    uint32_t task = kNoTask;
    std::atomic<uint64_t> sequence{0};  // position + 1 of the event in this slot
  };

  uint64_t Claim(uint64_t count);
  void Fill(uint64_t position, const Event& event, uint32_t task);
  void CountAndNotify(uint32_t count);
  uint32_t Take(std::span<Event> events);
  void Sleep(uint64_t wake_at, Deadline deadline);
  void WakeSleeper();
  void SignalEventFd();

  TaskPool& pool_;
  uint64_t mask_ = 0;
  std::unique_ptr<Slot[]> slots_;
  UniqueFd event_fd_owner_;
  std::atomic<int> event_fd_{-1};  // the descriptor of event_fd_owner_, for producers

  alignas(64) std::atomic<uint64_t> claimed_{0};  // producers
  std::atomic<uint64_t> published_{0};
  // The value of published_ at which a producer wakes the consumer.
  alignas(64) std::atomic<uint64_t> wake_at_{kNoWaiter};
  std::atomic<uint32_t> wake_word_{0};       // the futex of the consumer
  std::atomic<bool> wake_requested_{false};  // by Wake
  std::atomic<bool> signalled_{false};       // event_fd_ was written since the last Reap
  alignas(64) uint64_t head_ = 0;            // consumer
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EVENT_QUEUE_H_
