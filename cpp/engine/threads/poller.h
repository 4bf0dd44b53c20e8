// Poller: what the threads engine's one waiting thread waits for: descriptors that may never become
// ready (pipes, sockets, terminals, ...) and the clock. So none of these keeps a worker, and each
// can be cancelled.
//
// Descriptors are watched by epoll(7), whose cost does not grow with their number, each as a
// duplicate: the request then holds the file as one in io_uring does, and the caller may close his
// own without another file taking its place. Watches are one-shot and may fire for nothing; whoever
// is woken tries again without blocking.
//
// Lifecycle: Create; Next in a loop on the waiting thread until it returns false; Stop, once no
// other call can come.
//
// Threading: Next belongs to the waiting thread; the rest takes any thread. No lock is held across
// a system call.
#ifndef MOORING_CPP_ENGINE_THREADS_POLLER_H_
#define MOORING_CPP_ENGINE_THREADS_POLLER_H_

#include <atomic>
#include <cstdint>

#include "cpp/base/status.h"
#include "cpp/base/unique_fd.h"
#include "cpp/engine/threads/task.h"
#include "cpp/engine/threads/task_pool.h"
#include "cpp/engine/threads/timers.h"

namespace mooring {

class Poller {
 public:
  enum class Watched {
    kYes,        // handed over: no longer the caller's
    kReady,      // ready meanwhile: still the caller's, as kRunning
    kCancelled,  // still the caller's
    kNotNow,     // still the caller's, as kRunning: no descriptor, memory or watch is left
    kCannot,     // still the caller's, as kRunning: it is none that can be watched
  };

  explicit Poller(TaskPool& pool) : pool_(pool) {}
  Status Create();

  // `task` is kRunning and the caller's; `events` are those of poll(2).
  Watched Watch(Task* task, uint32_t events);
  // Lets go of the task's duplicate, if it has one. The caller owns `task`, and it is not kWaiting.
  void Unwatch(Task* task);

  // `task` is kRunning and the caller's. False: it was cancelled and still is.
  bool AddTimer(Task* task, int64_t at_ns);
  bool RemoveTimer(Task* task, uint32_t seen) { return timers_.Remove(task, seen); }

  // Waits. Appends tasks that may be tried again (kQueued) to `ready`, and those whose time has
  // come (kRunning) to `expired`. False once stopped.
  bool Next(TaskList& ready, TaskList& expired);
  void Stop();

 private:
  int Arm(Task* task, uint32_t events);
  void Fire(Task* task, TaskList& ready);
  void SetAlarm();

  TaskPool& pool_;
  Timers timers_;
  UniqueFd epoll_;
  UniqueFd alarm_;  // timerfd; also rings to stop
  std::atomic<bool> stopped_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_POLLER_H_
