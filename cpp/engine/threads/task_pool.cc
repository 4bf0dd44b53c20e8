#include "cpp/engine/threads/task_pool.h"

#include <new>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"

namespace mooring {

Status TaskPool::Create(uint32_t count) {
  CHECK(count > 0 && tasks_ == nullptr);
  count_ = count;
  const uint32_t capacity = RoundUpToPowerOfTwo(count);
  mask_ = capacity - 1;
  tasks_.reset(new (std::nothrow) Task[count]);
  free_.reset(new (std::nothrow) uint32_t[count]);
  freed_.reset(new (std::nothrow) uint32_t[capacity]);
  hints_.reset(new (std::nothrow) std::atomic<uint32_t>[capacity]);
  if (!tasks_ || !free_ || !freed_ || !hints_) {
    return ErrnoStatus(ENOMEM, "cannot allocate the tasks of a threads engine",
                       "ask for fewer operations in flight (in_flight_max)");
  }
  for (uint32_t i = 0; i < count; ++i) tasks_[i].index = i;
  for (uint32_t i = 0; i < capacity; ++i) hints_[i].store(kNone, std::memory_order_relaxed);
  return OkStatus();
}

void TaskPool::CollectFreed() {
  const uint32_t tail = freed_published_.load(std::memory_order_acquire);
  while (freed_head_ != tail) free_[free_count_++] = freed_[freed_head_++ & mask_];
}

Task* TaskPool::Take(const Request& request, TaskState state) {
  uint32_t index = 0;
  if (free_count_ > 0) {
    index = free_[--free_count_];
  } else {
    index = used_count_.load(std::memory_order_relaxed);
    CHECK(index < count_);  // more in flight than in_flight_max
    used_count_.store(index + 1, std::memory_order_release);
  }
  Task& task = tasks_[index];
  const uint32_t last_use = task.word.load(std::memory_order_relaxed);
  DCHECK(Task::StateOf(last_use) == TaskState::kFree);
  task.token.store(request.token, std::memory_order_relaxed);
  task.request = request;
  task.fd = request.fd;
  task.attempt = Attempt::kFirst;
  task.moved_bytes = 0;
  task.drain = false;
  task.spurious_wakes = 0;
  task.chain_next = nullptr;
  StoreHint(task);
  // The release pairs with the acquire in VisitIfMatching: a thread that sees the new use count
  // also sees the new token.
  task.word.store(Task::WithState(last_use + (1u << Task::kStateBits), state),
                  std::memory_order_release);
  return &task;
}

void TaskPool::StoreHint(const Task& task) {
  std::atomic<uint32_t>& hint = hints_[task.request.token & mask_];
  const uint32_t before = hint.load(std::memory_order_relaxed);
  if (before != kNone && before != task.index && tasks_[before].state() != TaskState::kFree) {
    hints_collided_.store(true, std::memory_order_relaxed);
  }
  hint.store(task.index, std::memory_order_relaxed);
}

}  // namespace mooring
