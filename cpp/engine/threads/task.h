// Task: what the threads engine remembers of one request in flight, and TaskList, a list of them
// that allocates nothing.
//
// Lifecycle: TaskPool (task_pool.h) makes all of them at creation. One belongs to whoever
// brought it into its state: the submitter while it is prepared, a worker while kRunning, the
// structure that it lies in (ready queue, timers, poller, chain, exclusive_poll) otherwise. State
// changes are compare-and-swap on `word`, so of two threads that want the same task, a worker that
// begins it and a caller who cancels it, exactly one gets it.
//
//   kHeld -> kRunning -> kQueued -> kRunning -> kFree      a read
//        kRunning -> kArming -> kWaiting -> kQueued        one that had to wait, on its way
//   kHeld -> kRunning -> kTimed -> kRunning -> kFree       a timeout
//
// Threading: fields other than `word` and `token` are the owner's. What a thread wrote before it
// moved the state is seen by the one that moves it next (release, acquire).
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
  kHeld,              // not begun: behind its predecessor in a chain, or behind a drain
  kHeldCancelled,     // and will complete with -ECANCELED when its time comes
  kQueued,            // in the ready queue, or taken from it but not begun
  kQueuedCancelled,   // taken from it, and whoever took it completes it with -ECANCELED
  kRunning,           // one thread is at it
  kRunningCancelled,  // and must not let it wait
  kArming,            // running, and on its way to the poller
  kArmingCancelled,   // on its way, and not to wait there
  kFired,             // on its way, and its descriptor is ready already
  kWaiting,           // the poller watches its descriptor
  kTimed,             // the poller watches the clock for it
  kParked,            // another one has the turn on its descriptor
};

// How a request is to be tried next. Of a read or write, each is for descriptors that the one
// before does not serve; what the opcodes of sockets make of it is in sockets.cc.
enum class Attempt : uint8_t {
  kFirst = 0,  // at its offset, or, where that is known not to wait, at the current position
  kNowait,     // a stream whose file takes RWF_NOWAIT
  kSocket,     // a stream that does not, if it is a socket
  kPolled,     // neither: poll(2), then read; one at a time on each descriptor
  kBlocking,   // cannot be watched: keeps its worker
  kWatched,    // an accept that has a duplicate of its listener, and now wants its turn
  kBegun,      // a connect that goes on by itself
};

// Which requests take turns with each other: same descriptor, same direction; accepts and connects
// of the same socket, by whatever descriptor (-1).
struct ExclusivePollKey {
  int fd = -1;
  bool write = false;
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const ExclusivePollKey&) const = default;
};

struct FixedFile;

struct alignas(64) Task {
  // State in the low 8 bits; above them how often this one has been taken from the pool, so that
  // whoever looked at it before cannot mistake its next request for the one he saw.
  std::atomic<uint32_t> word{0};
  uint32_t index = 0;  // in the pool
  // request.token, for those who look for it without owning the task.
  std::atomic<uint64_t> token{0};
  Request request;
  int fd = -1;  // request.fd, or the descriptor of `file`
  Attempt attempt = Attempt::kFirst;
  uint32_t moved_bytes = 0;         // of a send or receive that goes on until it has moved all
  bool listed = false;              // in the ready queue; guarded by its mutex
  bool drain = false;               // head of a chain: starts after all that came before
  bool has_exclusive_poll = false;  // ExclusivePoll
  uint8_t fruitless_count = 0;      // times in a row that it was woken for nothing
  Task* chain_next = nullptr;
  Task* list_next = nullptr;  // TaskList
  Task* list_previous = nullptr;
  FixedFile* file = nullptr;    // a reference is held
  int watch_fd = -1;            // the poller's duplicate of fd; -1 while it has none
  uint32_t timer_index = 0;     // in the heap of timers
  uint64_t order_sequence = 0;  // head of a held chain: requests accepted before it
  uint32_t order_length = 0;    // and the length of its chain
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

  // Once it has waited, only the duplicate is sure to be the same file still.
  int current_fd() const { return watch_fd >= 0 ? watch_fd : fd; }

  // For whoever owns it in state `from`: false when it was cancelled (or fired) meanwhile.
  bool Move(TaskState from, TaskState to) {
    uint32_t seen = word.load(std::memory_order_relaxed);
    if (StateOf(seen) != from) return false;
    return MoveFrom(seen, to);
  }
  // For whoever does not own it, and has seen this word.
  bool MoveFrom(uint32_t seen, TaskState to) {
    return word.compare_exchange_strong(seen, WithState(seen, to), std::memory_order_acq_rel,
                                        std::memory_order_relaxed);
  }
};

// First in, first out, linked through the tasks: each is in one list at most.
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
  // Moves all of `other` to the end of this.
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
