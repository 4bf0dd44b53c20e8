// TaskPool: the tasks of a threads engine, made at creation, and finding one of them again by its
// token.
//
// Lifecycle: Take makes a task of a request; Give, after its event has been reaped, makes it free
// again.
//
// Threading: Take and Reclaim belong to the submission side, Give and Publish to the completion
// side; the two may run at once on two threads, and are joined by a queue with one producer and one
// consumer. Find takes any thread.
//
//   Task* task = pool.Take(request);          // kRunning, the submitter's
//   ...
//   pool.Give(task->index); pool.Publish();   // a batch of them
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
  // Makes room for `count` tasks. Once, before anything else.
  Status Create(uint32_t count);

  // Submission side: takes back what has been given since. Before Take, once for each batch.
  void Reclaim();
  // Submission side: a task in state kHeld or kRunning for `request`. There is one: the caller
  // keeps to the count.
  Task* Take(const Request& request, TaskState state);

  // Completion side. What is given is seen by Reclaim after Publish.
  void Give(uint32_t index) { given_[given_tail_++ & mask_] = index; }
  // Release pairs with Reclaim's acquire.
  void Publish() { published_tail_.store(given_tail_, std::memory_order_release); }

  // Calls `visit(task, word)` for tasks in flight that carry `token`, until one returns true.
  // `word` was read before the token: while the task's word is still of the same use, the token is
  // the one asked for.
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
  // Works below this index have been taken at least once, others never.
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
  void Remember(const Task& task);

  uint32_t count_ = 0;
  uint32_t mask_ = 0;
  std::unique_ptr<Task[]> tasks_;
  std::unique_ptr<uint32_t[]> free_;   // a stack: the one freed last is the one still cached
  std::unique_ptr<uint32_t[]> given_;  // from the completion side to the submission side
  // Where a token was seen last, by its low bits. Tokens that differ there, as those that count up
  // or hold an index do, never push each other out, and then what is not found here is not in
  // flight.
  std::unique_ptr<std::atomic<uint32_t>[]> hints_;
  std::atomic<bool> hints_collided_{false};
  std::atomic<uint32_t> used_count_{0};
  alignas(64) uint32_t free_count_ = 0;  // submission side
  uint32_t given_head_ = 0;
  alignas(64) uint32_t given_tail_ = 0;  // completion side
  std::atomic<uint32_t> published_tail_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_TASK_POOL_H_
