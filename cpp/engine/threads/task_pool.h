// TaskPool: the tasks of a threads engine, created with the engine. It finds a task in flight by
// its token.
//
// Lifecycle: Take assigns a free task to a request. Free returns it after its event has been
// reaped.
//
// Threading: Take and CollectFreed belong to the submission side, Free and PublishFreed to the
// completion side. The two sides may run on two threads at the same time; a single-producer,
// single-consumer queue joins them. Find: any thread.
//
//   Task* task = pool.Take(request, TaskState::kRunning);  // owned by the submitter
//   ...
//   pool.Free(task->index);                                // one or more of them
//   pool.PublishFreed();
#ifndef MOORING_CPP_ENGINE_THREADS_TASK_POOL_H_
#define MOORING_CPP_ENGINE_THREADS_TASK_POOL_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cpp/base/status.h"
#include "cpp/engine/request.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

class TaskPool {
 public:
  // Allocates `count` tasks. Call it once, before all other functions.
  Status Create(uint32_t count);

  // Submission side: collects the tasks freed since the last call. Call it once for each batch,
  // before Take.
  void CollectFreed();
  // Submission side: a task for `request`, in `state` (kHeld or kRunning). A free one exists: the
  // caller never has more than count() in flight.
  Task* Take(const Request& request, TaskState state);

  // Completion side. CollectFreed sees the freed tasks after PublishFreed.
  void Free(uint32_t index) { freed_[freed_tail_++ & mask_] = index; }
  // The release pairs with the acquire in CollectFreed.
  void PublishFreed() { freed_published_.store(freed_tail_, std::memory_order_release); }

  // Calls `visit(task, word)` for the tasks in flight that carry `token`, until one call returns
  // true. `word` is read before the token: while the use count of the task is the one in `word`,
  // its token is `token`.
  template <typename Visitor>
  bool Find(uint64_t token, Visitor visit) {
    const uint32_t hint = hints_[token & mask_].load(std::memory_order_relaxed);
    if (hint < count_ && VisitIfMatching(tasks_[hint], token, visit)) return true;
    if (!hints_collided_.load(std::memory_order_relaxed)) return false;
    const uint32_t used = used_count();
    for (uint32_t i = 0; i < used; ++i) {
      if (i != hint && VisitIfMatching(tasks_[i], token, visit)) return true;
    }
    return false;
  }

  uint32_t count() const { return count_; }
  // Tasks below this index have been taken at least once, the others never.
  uint32_t used_count() const { return used_count_.load(std::memory_order_acquire); }
  Task& operator[](uint32_t index) { return tasks_[index]; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  template <typename Visitor>
  static bool VisitIfMatching(Task& task, uint64_t token, Visitor& visit) {
    const uint32_t word = task.word.load(std::memory_order_acquire);
    if (Task::StateOf(word) == TaskState::kFree) return false;
    if (task.token.load(std::memory_order_relaxed) != token) return false;
    return visit(task, word);
  }
  void StoreHint(const Task& task);

  uint32_t count_ = 0;
  uint32_t mask_ = 0;
  std::unique_ptr<Task[]> tasks_;
  // A stack: the task freed last is the most likely to be cached.
  std::unique_ptr<uint32_t[]> free_;
  std::unique_ptr<uint32_t[]> freed_;  // from the completion side to the submission side
  // The index of the task that had a token with these low bits last. Tokens that differ in their
  // low bits (counters, indices) never replace each other. Without a collision, a token that is not
  // found here is not in flight.
  std::unique_ptr<std::atomic<uint32_t>[]> hints_;
  std::atomic<bool> hints_collided_{false};
  std::atomic<uint32_t> used_count_{0};
  alignas(64) uint32_t free_count_ = 0;  // submission side
  uint32_t freed_head_ = 0;
  alignas(64) uint32_t freed_tail_ = 0;  // completion side
  std::atomic<uint32_t> freed_published_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_TASK_POOL_H_
