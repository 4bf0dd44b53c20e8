// ReadyQueue: tasks that a worker may begin, and the workers' sleep.
//
// How it wakes: a push wakes at most as many sleepers as there are CPUs to run them, in one system
// call, and none while those woken before have not come yet; a worker that leaves task behind wakes
// one more. So a burst of small reads is not paid for with a wake each, and a burst of slow ones
// still reaches every worker, twice as many each time.
//
// How it shares out: a worker takes several brief tasks at once when there are many more than
// workers, and fewer towards the end. One that may wait long is taken alone, so that nothing is
// ever stuck behind it.
//
// Threading: any. The mutex is never held across a system call.
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
  // What sharing out and waking go by.
  void SetWorkers(uint32_t worker_count, uint32_t cpu_count);

  // Takes all of `tasks`, which are kQueued (or kQueuedCancelled).
  void Push(TaskList& tasks);
  // Worker: sleeps until there is task; fills some of `batch` and returns how many, 0 once stopped.
  uint32_t Pop(std::span<Task*> batch);
  // Takes `task` out if it is still here and its word is `word`.
  bool Remove(Task* task, uint32_t word);
  // Every Pop returns 0 from now on, whatever is left here.
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
  uint32_t sleeper_count_ GUARDED_BY(mutex_) = 0;  // workers asleep or about to be
  uint32_t wakes_pending_ GUARDED_BY(mutex_) = 0;  // of those, woken and not here yet
  std::atomic<bool> stopped_{false};               // written under the mutex
  std::atomic<uint32_t> wake_word_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_READY_QUEUE_H_
