// EventQueue: events of finished requests on their way to Reap: many producers, one consumer, no
// lock.
//
// Lifecycle: sized at creation for all requests that can be in flight; as each leaves one event and
// is in flight until that is reaped, it cannot overflow.
//
// How it works: a producer claims a position, writes the event there and then its sequence number,
// which is what makes it visible, and last counts it in `published_`. The consumer takes what is
// visible in a row from its head. Before it sleeps it stores the count at which it wants to be
// woken, and looks once more; a producer that counts up to there wakes it. Both sides do so with
// sequentially consistent operations, so one of them sees the other. A position that is claimed but
// not yet visible stops the consumer until the next event, whose count then wakes it.
//
// Threading: Publish, published and Wake take any thread. Reap and EventFd are the consumer's,
// one-at-a-time.
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
  // For as many events as `pool` has tasks. Reap gives their tasks back to it.
  explicit EventQueue(TaskPool& pool) : pool_(pool) {}
  Status Create();

  // Of a task, which is then in state kFree and no longer the caller's.
  void Publish(uint64_t token, int32_t result, const Task& task);
  // Of requests that never became tasks.
  void Publish(std::span<const Event> events);
  // How many so far.
  uint64_t published() const { return published_.load(std::memory_order_seq_cst); }

  // As Engine.
  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline);
  void Wake();
  void Alert();
  Result<int> EventFd();

 private:
  static constexpr uint32_t kNoTask = UINT32_MAX;
  static constexpr uint64_t kNobodyWaits = UINT64_MAX;

  struct Slot {
    Event event;
    uint32_t task = kNoTask;
    std::atomic<uint64_t> sequence{0};  // position + 1 of the event that is here
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
  std::atomic<int> event_fd_{-1};  // of event_fd_owner_, for producers

  alignas(64) std::atomic<uint64_t> claimed_{0};  // producers
  std::atomic<uint64_t> published_{0};
  // published_ at which the consumer wants to be woken.
  alignas(64) std::atomic<uint64_t> wake_at_{kNobodyWaits};
  std::atomic<uint32_t> wake_word_{0};   // what it sleeps on
  std::atomic<bool> wake_asked_{false};  // Wake
  std::atomic<bool> signalled_{false};   // event_fd_ was written since the last Reap
  alignas(64) uint64_t head_ = 0;        // consumer
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EVENT_QUEUE_H_
