#include "cpp/engine/threads/ready_queue.h"

#include <algorithm>
#include <climits>

#include "cpp/base/deadline.h"
#include "cpp/engine/threads/futex.h"

namespace mooring {
namespace {

// Up to this size, taking the queue's mutex is a cost worth sharing.
constexpr uint64_t kBriefBytesMax = 64 * 1024;

// Reads and writes at an offset either are of a file or fail at once (ESPIPE); at the current
// position they may be of a pipe, and other opcodes take as long as they take.
bool IsBrief(const Work& work) {
  const Request& request = work.request;
  return (request.opcode == Opcode::kRead || request.opcode == Opcode::kWrite) &&
         request.file_offset != kFileOffsetCurrent && request.size64 <= kBriefBytesMax &&
         work.attempt == Attempt::kFirst;
}

}  // namespace

void ReadyQueue::SetWorkers(uint32_t worker_count, uint32_t cpu_count) {
  const MutexLock lock(mutex_);
  worker_count_ = worker_count;
  wakes_max_ = std::max(cpu_count, 1u);
}

void ReadyQueue::Push(WorkList& works) {
  if (works.empty()) return;
  uint32_t to_wake = 0;
  {
    const MutexLock lock(mutex_);
    for (Work* work = works.front(); work != nullptr; work = work->list_next) work->listed = true;
    works_.Append(works);
    to_wake = PlanWakes(works_.count());
  }
  WakeSleepers(to_wake);
}

uint32_t ReadyQueue::Pop(std::span<Work*> batch) {
  while (true) {
    uint32_t count = 0;
    uint32_t to_wake = 0;
    uint32_t word = 0;
    {
      const MutexLock lock(mutex_);
      if (stopped()) return 0;
      if (!TakeSome(batch, count, to_wake)) {
        ++sleeper_count_;
        // Changed only by those who have held the mutex since: see WakeSleepers.
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

bool ReadyQueue::TakeSome(std::span<Work*> batch, uint32_t& count, uint32_t& to_wake) {
  if (works_.empty()) return false;
  const uint32_t share = works_.count() / (2 * worker_count_);
  const uint32_t count_max = std::clamp(share, 1u, static_cast<uint32_t>(batch.size()));
  do {
    Work* const work = works_.PopFront();
    work->listed = false;
    batch[count++] = work;
  } while (count < count_max && !works_.empty() && IsBrief(*batch[count - 1]) &&
           IsBrief(*works_.front()));
  if (!works_.empty()) to_wake = PlanWakes(1);
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
  // A worker that has read the word but not begun to sleep finds it changed, and looks again.
  wake_word_.fetch_add(1, std::memory_order_relaxed);
  FutexWake(wake_word_, count);
}

bool ReadyQueue::Remove(Work* work, uint32_t word) {
  const MutexLock lock(mutex_);
  // With another word it is here for another request.
  if (work->word.load(std::memory_order_acquire) != word || !work->listed) return false;
  work->listed = false;
  works_.Remove(work);
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
