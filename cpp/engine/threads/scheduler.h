// Scheduler: takes a request through the threads engine, from Submit to its event: chains, drains,
// cancellation, and the moves between ready queue, timers, poller and exclusive poll. It starts no
// threads: threads_engine.cc does, and these threads call RunReady and RunPoller.
//
// Chains: a request starts when its predecessor has succeeded in full, on the same worker where
// possible. A timeout ends with -ETIME, which is no success: the rest of its chain is cancelled, as
// in io_uring.
//
// Lifecycle: Create. Then Submit, RunReady and RunPoller on their threads. StopWorkers and, when no
// thread is in RunReady any more, StopPoller. Requests still in flight then end without an event.
//
// Threading: Submit belongs to the submission side, RunReady to the workers, RunPoller to the
// poller thread; events(): as in event_queue.h; files(): any thread. No lock is held across a
// system call. Nothing allocates after Create.
#ifndef MOORING_CPP_ENGINE_THREADS_SCHEDULER_H_
#define MOORING_CPP_ENGINE_THREADS_SCHEDULER_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "cpp/base/status.h"
#include "cpp/engine/request.h"
#include "cpp/engine/threads/cached_reads.h"
#include "cpp/engine/threads/canceller.h"
#include "cpp/engine/threads/drain_gate.h"
#include "cpp/engine/threads/event_queue.h"
#include "cpp/engine/threads/exclusive_poll.h"
#include "cpp/engine/threads/file_table.h"
#include "cpp/engine/threads/poller.h"
#include "cpp/engine/threads/ready_queue.h"
#include "cpp/engine/threads/task.h"
#include "cpp/engine/threads/task_pool.h"

namespace mooring {

class Scheduler {
 public:
  Scheduler()
      : events_(pool_),
        poller_(pool_),
        canceller_(pool_, queue_, poller_, exclusive_poll_),
        drain_gate_(events_) {}
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  struct Limits {
    uint32_t in_flight_max = 1;
    uint32_t chain_length_max = 1;
    uint32_t fixed_file_count = 0;
  };
  Status Create(const Limits& limits);
  void SetWorkers(uint32_t worker_count, uint32_t cpu_count) {
    queue_.SetWorkers(worker_count, cpu_count);
  }

  void Submit(std::span<const Request> requests);
  EventQueue& events() { return events_; }
  FileTable& files() { return files_; }

  // Waits for tasks, runs some and adds their number to `run_count`, which belongs to the calling
  // thread. False after StopWorkers.
  bool RunReady(std::atomic<uint64_t>& run_count);
  // Waits for ready descriptors and expired timers, and handles them. False after StopPoller.
  bool RunPoller();

  void StopWorkers() { queue_.Stop(); }
  void StopPoller() { poller_.Stop(); }

 private:
  class EventBatch;

  void Accept(std::span<const Request> chain, EventBatch& completed, TaskList& ready);
  bool ReadCached(const Request& request);
  void RejectChain(std::span<const Request> chain, EventBatch& completed);
  void CancelNow(const Request& request, TaskList& ready);
  Task* TakeChain(std::span<const Request> chain);

  // These functions move a task from one state to the next. They append tasks that a worker may run
  // to `ready`; the caller pushes these to the queue or runs them itself.

  // Starts a task that is kRunning, and the tasks of its chain that can follow immediately.
  void Start(Task* task, TaskList& ready);
  // The same for a task that is kHeld. Null is allowed.
  void StartHeld(Task* task, TaskList& ready);
  Task* StartOne(Task* task, TaskList& ready);
  void Run(Task* task, TaskList& ready);  // kQueued
  bool AcquireExclusivePoll(Task* task, TaskList& ready);
  bool WaitUntilReady(Task* task, uint32_t events, TaskList& ready);
  // Gives a task that is kRunning to the timers; it is tried again after `pause_ns`.
  void Pause(Task* task, int64_t pause_ns, TaskList& ready);
  // Completes a task that the caller owns and, after a failure, the rest of its chain. Returns the
  // next task of the chain (still kHeld) if that is to start; null for a negative result.
  Task* Finish(Task* task, int32_t result, TaskList& ready);
  void FinishCancelled(Task* task, TaskList& ready);
  void Publish(Task* task, int32_t result);
  // Starts the chains that the drain gate releases. Call it after every publication.
  void StartReleased(TaskList& ready);

  int32_t ResolveFile(Task* task);
  int32_t CancelByToken(uint64_t token, const Task* self, TaskList& ready);

  uint32_t chain_length_max_ = 1;
  TaskPool pool_;
  EventQueue events_;
  ReadyQueue queue_;
  Poller poller_;
  ExclusivePoll exclusive_poll_;
  Canceller canceller_;
  DrainGate drain_gate_;
  FileTable files_;
  CachedReads cached_reads_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_SCHEDULER_H_
