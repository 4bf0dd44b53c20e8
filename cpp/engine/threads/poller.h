// Poller: waits for descriptors (pipes, sockets, terminals) and for the clock, on one thread of the
// threads engine. A request that waits here keeps no worker and can be cancelled.
//
// It watches descriptors with epoll(7), whose cost does not grow with their number. Each watch uses
// a duplicate of the descriptor: the request then holds its file as in io_uring, and the caller may
// close its own descriptor while another file takes the number. Watches are one-shot and may fire
// without cause; a woken task tries again without blocking.
//
// Lifecycle: Create. Then the poller thread calls Poll in a loop until it returns false. Stop, when
// no other call can follow.
//
// Threading: Poll belongs to the poller thread. The other functions: any thread. No lock is held
// across a system call.
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
  enum class WatchResult {
    kWatching,     // the poller owns the task; in all other cases the caller still does
    kReady,        // the descriptor is already ready; kRunning
    kCancelled,    // the task was cancelled
    kShortage,     // no descriptor, memory or watch is available; kRunning
    kUnwatchable,  // epoll(7) cannot watch this descriptor; kRunning
  };

  explicit Poller(TaskPool& pool) : pool_(pool) {}
  Status Create();

  // The caller owns `task` (kRunning). `events` are events of poll(2).
  WatchResult Watch(Task* task, uint32_t events);
  // Closes the duplicate of the task, if it has one. The caller owns `task`, which is not kWaiting.
  void Unwatch(Task* task);

  // The caller owns `task` (kRunning). False: it was cancelled, and the caller still owns it.
  bool AddTimer(Task* task, int64_t at_ns);
  bool RemoveTimer(Task* task, uint32_t seen) { return timers_.Remove(task, seen); }

  // Waits. Appends the tasks that may be tried again (kQueued) to `ready`, and the tasks whose time
  // is over (kRunning) to `expired`. False after Stop.
  bool Poll(TaskList& ready, TaskList& expired);
  void Stop();

 private:
  // Returns 0 or a negative errno.
  int Arm(Task* task, uint32_t events);
  void Fire(Task* task, TaskList& ready);
  void SetAlarm();

  TaskPool& pool_;
  Timers timers_;
  UniqueFd epoll_;
  UniqueFd alarm_;  // timerfd; Stop uses it too
  std::atomic<bool> stopped_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_POLLER_H_
