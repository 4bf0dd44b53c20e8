// ReadyQueue: the tasks that a worker may start, and the sleep of the workers.
//
// Wakes: a push wakes at most as many sleepers as there are CPUs, in one system call, and none
// while workers woken earlier have not arrived yet. A worker that leaves tasks behind wakes one
// more. So a burst of small reads does not pay for one wake each, and a burst of slow requests
// still reaches every worker: the number that is awake doubles each time.
//
// Batches: a worker takes several brief tasks in one call when there are many more tasks than
// workers, and fewer towards the end. It takes a task that may wait long alone, so that no other
// task waits behind it.
//
// Threading: any thread. The mutex is never held across a system call.
#ifndef MOORING_CPP_ENGINE_THREADS_READY_QUEUE_H_
#define MOORING_CPP_ENGINE_THREADS_READY_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class ReadyQueue {
 public:
  // Sets the numbers that decide on batch sizes and wakes.
  void SetWorkers(uint32_t worker_count, uint32_t cpu_count);

  // Takes all of `tasks`, which are kQueued or kQueuedCancelled.
  void Push(TaskList& tasks);
  // Worker: sleeps until there is a task. Fills some of `batch` and returns how many; 0 after Stop.
  uint32_t Pop(std::span<Task*> batch);
  // Removes `task` if it is still in the queue and its word is `word`.
  bool Remove(Task* task, uint32_t word);
  // Every Pop returns 0 from now on, even if tasks are left in the queue.
  void Stop();
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  bool TakeSome(std::span<Task*> batch, uint32_t& count, uint32_t& to_wake) REQUIRES(mutex_);
  uint32_t PlanWakes(uint32_t wanted) REQUIRES(mutex_);
  void WakeSleepers(uint32_t count);

  Mutex mutex_;
  uint32_t worker_count_ GUARDED_BY(mutex_) = 1;
  uint32_t wakes_max_ GUARDED_BY(mutex_) = 1;
  TaskList tasks_ GUARDED_BY(mutex_);
  uint32_t sleeper_count_ GUARDED_BY(mutex_) = 0;  // workers that sleep or are about to
  uint32_t wakes_pending_ GUARDED_BY(mutex_) = 0;  // sleepers that are woken and have not arrived
  std::atomic<bool> stopped_{false};               // written under the mutex
  std::atomic<uint32_t> wake_word_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_READY_QUEUE_H_
