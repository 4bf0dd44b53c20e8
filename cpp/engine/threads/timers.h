// Timers: tasks that wait for a point in time, in a heap that is allocated at its full size. Equal
// times expire in the order in which they were added. It reads no clock: poller.h sets the alarm.
//
// Threading: any thread. A task in the heap is kTimed; that state changes only under the mutex
// here. The mutex is never held across a system call.
#ifndef MOORING_CPP_ENGINE_THREADS_TIMERS_H_
#define MOORING_CPP_ENGINE_THREADS_TIMERS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cpp/base/status.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class Timers {
 public:
  static constexpr int64_t kNever = INT64_MAX;

  enum class AddResult { kCancelled, kLater, kEarliest };

  // Allocates the heap for `count` tasks. Call it once.
  Status Create(uint32_t count);

  // Moves `task` from kRunning to kTimed, until `at_ns` on CLOCK_MONOTONIC. kCancelled: the task
  // was cancelled, and the caller still owns it. kEarliest: the caller has to set the alarm again.
  AddResult Add(Task* task, int64_t at_ns);
  // Removes `task` if its word still is `seen`: it is then kRunning and owned by the caller.
  bool Remove(Task* task, uint32_t seen);
  // Moves all tasks that are due at `now_ns` to the end of `expired` (kRunning), earliest first.
  void PopExpired(int64_t now_ns, TaskList& expired);
  // The time of the earliest task, or kNever.
  int64_t earliest_ns() const { return earliest_ns_.load(std::memory_order_seq_cst); }

 private:
  struct Entry {
    int64_t at_ns;
    uint64_t order;
    Task* task;
    bool operator<(const Entry& other) const {
      return at_ns != other.at_ns ? at_ns < other.at_ns : order < other.order;
    }
  };

  void RemoveAt(uint32_t index) REQUIRES(mutex_);
  void Place(uint32_t index, const Entry& entry) REQUIRES(mutex_);
  void SiftUp(uint32_t index) REQUIRES(mutex_);
  void SiftDown(uint32_t index) REQUIRES(mutex_);
  void StoreEarliest() REQUIRES(mutex_);

  uint32_t capacity_ = 0;
  Mutex mutex_;
  std::unique_ptr<Entry[]> heap_ GUARDED_BY(mutex_);
  uint32_t count_ GUARDED_BY(mutex_) = 0;
  uint64_t added_count_ GUARDED_BY(mutex_) = 0;
  std::atomic<int64_t> earliest_ns_{kNever};  // of heap_[0]; written under the mutex
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_TIMERS_H_
