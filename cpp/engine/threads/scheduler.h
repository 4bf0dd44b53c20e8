// Scheduler: the way of a request through the threads engine, from Submit to its event: chains,
// drains, cancellation, and which of ready queue, timers, poller and turns has it meanwhile. It
// starts no threads: threads_engine.h does, and has them call RunReady and WaitOnce.
//
// Chains: the next one starts when its predecessor has succeeded in full, on the same worker where
// that can be. A timeout ends with -ETIME, which is no success: what follows it in a chain is
// cancelled, as in io_uring.
//
// Lifecycle: Create; then Submit, RunReady and WaitOnce on their threads; StopRunning and, when no
// thread is in RunReady any more, StopWaiting. Requests that are still here then end without an
// event.
//
// Threading: Submit belongs to the submission side, RunReady to the workers, WaitOnce to the
// waiting thread; events() as EventQueue says, files() any. No lock is held across a system call,
// and nothing allocates after Create.
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

  // Runs some tasks, waiting for them as need be, and adds how many to `run_count`, which is the
  // thread's own. False once stopped.
  bool RunReady(std::atomic<uint64_t>& run_count);
  // Handles what became ready or due, waiting for it as need be. False once stopped.
  bool WaitOnce();

  void StopRunning() { queue_.Stop(); }
  void StopWaiting() { poller_.Stop(); }

 private:
  class EventBatch;

  void Accept(std::span<const Request> chain, EventBatch& at_once, TaskList& ready);
  bool ReadAtOnce(const Request& request);
  void Refuse(std::span<const Request> chain, EventBatch& at_once);
  void CancelAtOnce(const Request& request, TaskList& ready);
  Task* TakeChain(std::span<const Request> chain);

  // These lead a task from one state to the next. What may go to a worker then is appended to
  // `ready`, for the caller to push to the queue or to run himself.
  void Start(Task* task,
             TaskList& ready);  // kRunning; and those of its chain that then follow at once
  void StartHeld(Task* task, TaskList& ready);  // kHeld, likewise; null is allowed
  Task* StartOne(Task* task, TaskList& ready);
  void Run(Task* task, TaskList& ready);  // kQueued
  bool AcquireExclusivePoll(Task* task, TaskList& ready);
  bool WaitFor(Task* task, uint32_t events, TaskList& ready);
  // Gives a task that is kRunning to the clock, to be tried again.
  void Pause(Task* task, int64_t pause_ns, TaskList& ready);
  // Ends a task that is the caller's, and on failure the rest of its chain. Returns the next of the
  // chain, still kHeld, if that is to start; never one for a negative result.
  Task* Finish(Task* task, int32_t result, TaskList& ready);
  void FinishCancelled(Task* task, TaskList& ready);
  void Publish(Task* task, int32_t result);
  // Starts what no drain holds back any more. After every publication.
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
