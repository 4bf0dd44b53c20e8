// Task: the state of one request in flight in the threads engine. TaskList: an intrusive list of
// tasks, which allocates nothing.
//
// Lifecycle: TaskPool (task_pool.h) creates all tasks when the engine is created. In each state a
// task has one owner: the submitter while it prepares the task, a worker while kRunning, otherwise
// the structure that holds it (ready queue, timers, poller, chain, exclusive poll). Each change of
// state is a compare-and-swap on `word`. When two threads want the same task, a worker that starts
// it and a caller that cancels it, exactly one of them succeeds.
//
//   kHeld -> kRunning -> kQueued -> kRunning -> kFree           a read
//   kRunning -> kArming -> kWaiting -> kQueued -> kRunning      a read that has to wait
//   kHeld -> kRunning -> kTimed -> kRunning -> kFree            a timeout
//
// Threading: the owner alone uses the fields other than `word` and `token`. The thread that changes
// the state next sees what the thread before it wrote (release, acquire).
#ifndef MOORING_CPP_ENGINE_THREADS_TASK_H_
#define MOORING_CPP_ENGINE_THREADS_TASK_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "cpp/base/check.h"
#include "cpp/engine/request.h"

namespace mooring {

enum class TaskState : uint32_t {
  kFree = 0,          // not in flight
  kHeld,              // not started: behind its predecessor in a chain, or behind a drain
  kHeldCancelled,     // held; completes with -ECANCELED when its chain or drain reaches it
  kQueued,            // in the ready queue, or taken from it but not started
  kQueuedCancelled,   // taken from the queue; the thread that took it completes it with -ECANCELED
  kRunning,           // one thread executes it
  kRunningCancelled,  // running; it must not wait
  kArming,            // running; the poller watch is being set up
  kArmingCancelled,   // arming; it must not wait
  kFired,             // arming; its descriptor is ready already
  kWaiting,           // the poller watches its descriptor
  kTimed,             // the poller watches the clock for it
  kParked,            // waits until another task releases the exclusive poll of its descriptor
};

// How the next attempt executes a request. For reads and writes, each value is for descriptors that
// the value before it does not serve. sockets.cc defines the use by the socket opcodes.
enum class Attempt : uint8_t {
  kFirst = 0,   // at the offset; at the current position if the file is known never to wait
  kNowait,      // a stream whose file accepts RWF_NOWAIT
  kSocket,      // a stream whose file does not accept it: MSG_DONTWAIT, if it is a socket
  kPolled,      // neither: poll(2), then read; one at a time on each descriptor
  kBlocking,    // cannot be watched: blocks its worker
  kWatched,     // an accept that has a duplicate of its listener, and now needs the exclusive poll
  kConnecting,  // a connect that continues in the kernel
};

// Requests with equal keys exclude each other: same descriptor and same direction. Accepts and
// connects of one socket exclude each other through any descriptor of it (fd is then -1).
struct ExclusivePollKey {
  int fd = -1;
  bool write = false;
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const ExclusivePollKey&) const = default;
};

struct FixedFile;

struct alignas(64) Task {
  // The state in the low 8 bits. Above them a use count: how often the pool has handed out this
  // task. It distinguishes the next request in this task from the one that a thread saw earlier.
  std::atomic<uint32_t> word{0};
  uint32_t index = 0;  // in the pool
  // request.token, for threads that search for it and do not own the task.
  std::atomic<uint64_t> token{0};
  Request request;
  int fd = -1;  // request.fd, or the descriptor of `file`
  Attempt attempt = Attempt::kFirst;
  uint32_t moved_bytes = 0;           // so far, by a send or receive that continues until all moved
  bool in_ready_queue = false;        // guarded by the mutex of the ready queue
  bool drain = false;                 // head of a chain that starts after all earlier requests
  bool holds_exclusive_poll = false;  // exclusive_poll.h
  uint8_t spurious_wakes = 0;         // wakes in a row after which nothing could be done
  Task* chain_next = nullptr;
  Task* list_next = nullptr;  // TaskList
  Task* list_previous = nullptr;
  FixedFile* file = nullptr;     // the task holds a reference
  int watch_fd = -1;             // the poller's duplicate of fd; -1 if it has none
  uint32_t timer_index = 0;      // in the heap of timers
  uint64_t accepted_before = 0;  // head of a held chain: number of requests accepted before it
  uint32_t chain_length = 0;     // head of a held chain: number of its requests
  ExclusivePollKey exclusive_poll_key;
  Task* exclusive_poll_next = nullptr;

  static constexpr uint32_t kStateBits = 8;
  static constexpr uint32_t kStateMask = (1u << kStateBits) - 1;

  static TaskState StateOf(uint32_t seen) { return static_cast<TaskState>(seen & kStateMask); }
  static uint32_t WithState(uint32_t seen, TaskState state) {
    return (seen & ~kStateMask) | static_cast<uint32_t>(state);
  }
  static bool SameUse(uint32_t a, uint32_t b) { return (a >> kStateBits) == (b >> kStateBits); }

  TaskState state() const { return StateOf(word.load(std::memory_order_acquire)); }

  // After a wait, only the duplicate is certain to be the same file.
  int current_fd() const { return watch_fd >= 0 ? watch_fd : fd; }

  // For the owner of the task in state `from`. False if it was cancelled (or fired) since.
  bool Move(TaskState from, TaskState to) {
    uint32_t seen = word.load(std::memory_order_relaxed);
    if (StateOf(seen) != from) return false;
    return MoveFrom(seen, to);
  }
  // For a thread that does not own the task and has read `seen` from `word`.
  bool MoveFrom(uint32_t seen, TaskState to) {
    return word.compare_exchange_strong(seen, WithState(seen, to), std::memory_order_acq_rel,
                                        std::memory_order_relaxed);
  }
};

// A first-in, first-out list, linked through the tasks. A task is in at most one list.
class TaskList {
 public:
  bool empty() const { return head_ == nullptr; }
  uint32_t count() const { return count_; }
  Task* front() const { return head_; }

  void PushBack(Task* task) {
    task->list_next = nullptr;
    task->list_previous = tail_;
    (tail_ != nullptr ? tail_->list_next : head_) = task;
    tail_ = task;
    ++count_;
  }
  // Null when empty.
  Task* PopFront() {
    Task* const task = head_;
    if (task != nullptr) Remove(task);
    return task;
  }
  // `task` is in this list.
  void Remove(Task* task) {
    DCHECK(count_ > 0);
    (task->list_previous != nullptr ? task->list_previous->list_next : head_) = task->list_next;
    (task->list_next != nullptr ? task->list_next->list_previous : tail_) = task->list_previous;
    task->list_next = task->list_previous = nullptr;
    --count_;
  }
  // Moves all tasks of `other` to the end of this list.
  void Append(TaskList& other) {
    if (other.empty()) return;
    other.head_->list_previous = tail_;
    (tail_ != nullptr ? tail_->list_next : head_) = other.head_;
    tail_ = other.tail_;
    count_ += other.count_;
    other = TaskList();
  }

 private:
  Task* head_ = nullptr;
  Task* tail_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_TASK_H_
