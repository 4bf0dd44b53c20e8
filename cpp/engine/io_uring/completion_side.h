// CompletionSide: returns events to the thread that reaps. It takes available completions without a
// system call, and waits otherwise.
//
// It first waits in io_uring_enter(2) for the wanted number of completions, for one millisecond:
// busy devices complete within that time. After it, the thread waits in poll(2) on the ring and on
// an eventfd of the engine, which Wake and SignalFailedEvents write to. So a wake-up needs no
// request in the ring, which a drain would wait for, and works from a thread that may not submit.
// An idle thread sleeps, and a busy one makes one system call.
//
// With DEFER_TASKRUN the kernel delivers nothing to a thread in poll(2) and does not wake it: a
// timeout request slept until the deadline (measured, 6.18). The kernel should signal a registered
// eventfd when work is pending, but 6.12.117 does so only once (measured; it never clears its bit
// for "a signal is on its way"). So with DEFER_TASKRUN the thread waits in io_uring_enter(2), which
// works, in short steps. Wake takes up to one step.
//
// Threading: Reap, PlanWait and EventFd: one thread at a time. Wake, WakeAndSignal,
// SignalFailedEvents and counters: any thread.
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
  // All references outlive the object. `wake_fd` is a non-blocking eventfd(2).
  CompletionSide(const Uring& uring, FailedEvents& failed, const SubmissionSide& submission,
                 UniqueFd wake_fd);

  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline);

  // The wait that a submission followed by such a Reap may do in the same system call. The result
  // may point to `*timeout`. In a given workload, most requests complete before the submission
  // returns, or few do. So it plans a wait only while recent calls had to wait, and from time to
  // time tries without one.
  SubmissionWait PlanWait(uint32_t min_count, Deadline deadline, __kernel_timespec* timeout);

  void Wake();
  void WakeAndSignal();
  // Wakes the thread that reaps when there are failed events: the kernel signals only completions.
  void SignalFailedEvents();
  // For Engine::EventFd; made on first use. A descriptor, or a negative errno.
  int EventFd();

  uint64_t system_calls() const { return system_calls_.load(std::memory_order_relaxed); }
  uint64_t overflows() const { return overflows_.load(std::memory_order_relaxed); }

 private:
  uint32_t ReapSlowly(std::span<Event> events, uint32_t count, uint32_t min_count,
                      Deadline deadline);
  uint32_t Take(std::span<Event> events);
  bool FlushCompletions();
  bool WaitInEnter(uint32_t count, Deadline deadline, bool* idle);
  bool WaitInPoll(Deadline deadline, bool* idle);
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
  std::atomic<int> event_fd_to_signal_{-1};  // event_fd_, for other threads
  std::atomic<uint64_t> system_calls_{0};
  std::atomic<uint64_t> overflows_{0};
  alignas(64) std::atomic<bool> wake_pending_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_COMPLETION_SIDE_H_
