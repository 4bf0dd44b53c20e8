#include "cpp/engine/threads/ready_queue.h"

#include <algorithm>
#include <climits>

#include "cpp/base/deadline.h"
#include "cpp/engine/threads/futex.h"

namespace mooring {
namespace {

// Up to this size, the cost of the queue mutex is shared among several tasks.
constexpr uint64_t kBriefBytesMax = 64 * 1024;

// A read or write at an offset is for a file or fails immediately (ESPIPE). At the current position
// it may be for a pipe. The duration of other opcodes is unknown.
bool IsBrief(const Task& task) {
  const Request& request = task.request;
  return (request.opcode == Opcode::kRead || request.opcode == Opcode::kWrite) &&
         request.file_offset != kFileOffsetCurrent && request.size64 <= kBriefBytesMax &&
         task.attempt == Attempt::kFirst;
}

}  // namespace

void ReadyQueue::SetWorkers(uint32_t worker_count, uint32_t cpu_count) {
  const MutexLock lock(mutex_);
  worker_count_ = worker_count;
  wakes_max_ = std::max(cpu_count, 1u);
}

void ReadyQueue::Push(TaskList& tasks) {
  if (tasks.empty()) return;
  uint32_t to_wake = 0;
  {
    const MutexLock lock(mutex_);
    for (Task* task = tasks.front(); task != nullptr; task = task->list_next)
      task->in_ready_queue = true;
    tasks_.Append(tasks);
    to_wake = PlanWakes(tasks_.count());
  }
  WakeSleepers(to_wake);
}

uint32_t ReadyQueue::Pop(std::span<Task*> batch) {
  while (true) {
    uint32_t count = 0;
    uint32_t to_wake = 0;
    uint32_t word = 0;
    {
      const MutexLock lock(mutex_);
      if (stopped()) return 0;
      if (!TakeSome(batch, count, to_wake)) {
        ++sleeper_count_;
        // Changed only by threads that have held the mutex since: see WakeSleepers.
        word = wake_word_.load(std::memory_order_relaxed);
      }
    }
    if (count > 0) {
      WakeSleepers(to_wake);
      return count;
    }
    FutexWait(wake_word_, word, Deadline::After(INT64_MAX));
    const MutexLock lock(mutex_);
    --sleeper_count_;
    if (wakes_pending_ > 0) --wakes_pending_;
  }
}

bool ReadyQueue::TakeSome(std::span<Task*> batch, uint32_t& count, uint32_t& to_wake) {
  if (tasks_.empty()) return false;
  const uint32_t share = tasks_.count() / (2 * worker_count_);
  const uint32_t count_max = std::clamp(share, 1u, static_cast<uint32_t>(batch.size()));
  do {
    Task* const task = tasks_.PopFront();
    task->in_ready_queue = false;
    batch[count++] = task;
  } while (count < count_max && !tasks_.empty() && IsBrief(*batch[count - 1]) &&
           IsBrief(*tasks_.front()));
  if (!tasks_.empty()) to_wake = PlanWakes(1);
  return true;
}

uint32_t ReadyQueue::PlanWakes(uint32_t wanted) {
  if (sleeper_count_ <= wakes_pending_ || wakes_max_ <= wakes_pending_) return 0;
  const uint32_t count =
      std::min({wanted, sleeper_count_ - wakes_pending_, wakes_max_ - wakes_pending_});
  wakes_pending_ += count;
  return count;
}

void ReadyQueue::WakeSleepers(uint32_t count) {
  if (count == 0) return;
  // A worker that has read the word but does not sleep yet finds it changed, and checks again.
  wake_word_.fetch_add(1, std::memory_order_relaxed);
  FutexWake(wake_word_, count);
}

bool ReadyQueue::Remove(Task* task, uint32_t word) {
  const MutexLock lock(mutex_);
  // With another word, the task is in the queue for another request.
  if (task->word.load(std::memory_order_acquire) != word || !task->in_ready_queue) return false;
  task->in_ready_queue = false;
  tasks_.Remove(task);
  return true;
}

void ReadyQueue::Stop() {
  {
    const MutexLock lock(mutex_);
    stopped_.store(true, std::memory_order_relaxed);
  }
  WakeSleepers(INT_MAX);
}

}  // namespace mooring
