// CompletionSide: brings outcomes to the reaper: those that are there without a system call, else
// it waits.
//
// It waits in the kernel for as many as are wanted, for a millisecond at first: whatever is busy
// completes within it. If that passes, it parks in poll(2) on the ring and on a descriptor of its
// own, by which Wake and failed requests reach it. So a wake-up needs no request inside the ring,
// which a drain would wait for, and no thread that may submit; a parked reaper sleeps, and a busy
// one pays no second system call.
//
// With DEFER_TASKRUN nothing is delivered while the ring's thread is in poll(2), nor is it woken: a
// timeout slept on until the deadline (measured, 6.18). An eventfd registered with the ring should
// be signalled for work that waits, but 6.12.117 does so once and never again (measured; its bit
// for "a signal is on its way" is never cleared). So such a reaper parks in the kernel's own wait,
// which is sound, for short times, and Wake may take as long as one of them.
//
// Threading: Reap, PlanWait and EventFd: one thread at a time. Wake, SignalFailedEvents and
// counters: any thread.
//
//   uint32_t count = completion.Reap(events, 1, Deadline::After(timeout_ns));
#ifndef MOORING_CPP_ENGINE_IO_URING_COMPLETION_SIDE_H_
#define MOORING_CPP_ENGINE_IO_URING_COMPLETION_SIDE_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "cpp/base/deadline.h"
#include "cpp/base/unique_fd.h"
#include "cpp/engine/io_uring/completion_queue.h"
#include "cpp/engine/io_uring/failed_events.h"
#include "cpp/engine/io_uring/submission_side.h"
#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/request.h"

namespace mooring {

class CompletionSide {
 public:
  // All outlive the side; `wake_fd` is an eventfd(2) that does not block.
  CompletionSide(const Uring& uring, FailedEvents& failed, const SubmissionSide& submission,
                 UniqueFd wake_fd);

  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline);

  // What a submission that is followed by such a Reap may wait for in its own system call.
  // `timeout` is room for it. Most requests complete before that call returns, or few do: so it
  // asks for a wait only while recent requests have been waited for, and tries without now and
  // then.
  SubmissionWait PlanWait(uint32_t min_count, Deadline deadline, __kernel_timespec* timeout);

  void Wake();
  void WakeAndSignal();
  // There are failed events, which no completion tells of.
  void SignalFailedEvents();
  // For Engine::EventFd; made on first use. A negative errno when that fails.
  int EventFd();

  uint64_t system_calls() const { return system_calls_.load(std::memory_order_relaxed); }
  uint64_t overflows() const { return overflows_.load(std::memory_order_relaxed); }

 private:
  uint32_t ReapSlowly(std::span<Event> events, uint32_t count, uint32_t min_count,
                      Deadline deadline);
  uint32_t Take(std::span<Event> events);
  bool FlushCompletions();
  bool WaitInEnter(uint32_t count, Deadline deadline, bool* parked);
  bool WaitInPoll(Deadline deadline, bool* parked);
  void RearmEventFd();
  bool ConsumeWake();
  int Enter(uint32_t min_complete, const __kernel_timespec* timeout);

  const Uring& uring_;
  FailedEvents& failed_;
  const std::atomic<uint64_t>& submission_count_;
  CompletionQueue queue_;
  const uint32_t* const submission_flags_;
  const bool waits_take_timeouts_;
  const bool defers_taskrun_;
  uint32_t expected_waits_ = 0;
  const UniqueFd wake_fd_;
  UniqueFd event_fd_;
  std::atomic<int> event_fd_to_signal_{-1};  // the caller's, when he has asked for one
  std::atomic<uint64_t> system_calls_{0};
  std::atomic<uint64_t> overflows_{0};
  alignas(64) std::atomic<bool> wake_pending_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_COMPLETION_SIDE_H_
