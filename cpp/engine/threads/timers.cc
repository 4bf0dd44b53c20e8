#include "cpp/engine/threads/timers.h"

#include <cerrno>
#include <new>

#include "cpp/base/check.h"

namespace mooring {

Status Timers::Create(uint32_t count) {
  const MutexLock lock(mutex_);
  CHECK(heap_ == nullptr);
  capacity_ = count;
  heap_.reset(new (std::nothrow) Entry[count]);
  if (!heap_) {
    return ErrnoStatus(ENOMEM, "cannot allocate the timers of a threads engine",
                       "ask for fewer operations in flight (in_flight_max)");
  }
  return OkStatus();
}

Timers::AddResult Timers::Add(Task* task, int64_t at_ns) {
  const MutexLock lock(mutex_);
  if (!task->Move(TaskState::kRunning, TaskState::kTimed)) return AddResult::kCancelled;
  CHECK(count_ < capacity_);
  Place(count_, Entry{at_ns, added_count_++, task});
  SiftUp(count_++);
  if (task->timer_index != 0) return AddResult::kLater;
  StoreEarliest();
  return AddResult::kEarliest;
}

bool Timers::Remove(Task* task, uint32_t seen) {
  const MutexLock lock(mutex_);
  if (!task->MoveFrom(seen, TaskState::kRunning)) return false;
  RemoveAt(task->timer_index);
  // The alarm keeps its time: at worst the poller wakes once without a task.
  StoreEarliest();
  return true;
}

void Timers::PopExpired(int64_t now_ns, TaskList& expired) {
  const MutexLock lock(mutex_);
  while (count_ > 0 && heap_[0].at_ns <= now_ns) {
    Task* const task = heap_[0].task;
    RemoveAt(0);
    const bool moved = task->Move(TaskState::kTimed, TaskState::kRunning);
    CHECK(moved);
    expired.PushBack(task);
  }
  StoreEarliest();
}

void Timers::RemoveAt(uint32_t index) {
  DCHECK(index < count_);
  --count_;
  if (index == count_) return;
  Place(index, heap_[count_]);
  // The entry that was last may belong above or below its new place.
  SiftUp(index);
  SiftDown(index);
}

void Timers::Place(uint32_t index, const Entry& entry) {
  heap_[index] = entry;
  entry.task->timer_index = index;
}

void Timers::SiftUp(uint32_t index) {
  const Entry entry = heap_[index];
  while (index > 0) {
    const uint32_t parent = (index - 1) / 2;
    if (!(entry < heap_[parent])) break;
    Place(index, heap_[parent]);
    index = parent;
  }
  Place(index, entry);
}

void Timers::SiftDown(uint32_t index) {
  const Entry entry = heap_[index];
  while (true) {
    uint32_t child = 2 * index + 1;
    if (child >= count_) break;
    if (child + 1 < count_ && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    Place(index, heap_[child]);
    index = child;
  }
  Place(index, entry);
}

void Timers::StoreEarliest() {
  const int64_t earliest = count_ > 0 ? heap_[0].at_ns : kNever;
  if (earliest_ns_.load(std::memory_order_relaxed) != earliest) {
    earliest_ns_.store(earliest, std::memory_order_seq_cst);
  }
}

}  // namespace mooring
