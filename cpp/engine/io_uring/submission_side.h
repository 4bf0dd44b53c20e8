// SubmissionSide: takes requests to the kernel, whole chains at a time, and answers for those that
// the kernel does not take: they become failed events. It never drops a request and never waits for
// one to finish.
//
// Threading: one thread at a time; counters from any.
//
//   if (submission.Submit(requests, {})) completion.SignalFailedEvents();
#ifndef MOORING_CPP_ENGINE_IO_URING_SUBMISSION_SIDE_H_
#define MOORING_CPP_ENGINE_IO_URING_SUBMISSION_SIDE_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "cpp/engine/io_uring/failed_events.h"
#include "cpp/engine/io_uring/submission_queue.h"
#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/request.h"

namespace mooring {

// What the system call that hands over the last requests may wait for as well.
struct SubmissionWait {
  uint32_t min_complete = 0;
  uint32_t flags = 0;                          // IORING_ENTER_GETEVENTS, or 0
  const __kernel_timespec* timeout = nullptr;  // none: no wait
};

class SubmissionSide {
 public:
  // Both outlive the side.
  SubmissionSide(const Uring& uring, FailedEvents& failed, KernelQuirks quirks);

  // True when requests have failed on the way: their events are in FailedEvents, and no completion
  // tells of them.
  bool Submit(std::span<const Request> requests, const SubmissionWait& wait);

  // Returns when the kernel has taken and started all that was submitted. With SQPOLL only is there
  // anything to wait for. True as Submit.
  bool WaitUntilConsumed();

  // From the first drain on, requests may have to wait for it inside the kernel, cancellations too.
  bool has_seen_drain() const { return queue_.has_seen_drain(); }

  // Grows with each hand-over, before it: who loads it (acquire) after he has seen a request's
  // outcome sees what the submitter wrote before he submitted. The kernel orders the two in fact,
  // but no C++ rule and no sanitizer knows.
  const std::atomic<uint64_t>& submission_count() const { return submission_count_; }

  uint64_t system_calls() const { return system_calls_.load(std::memory_order_relaxed); }

 private:
  size_t SubmitPending(const SubmissionWait& wait);
  size_t Recover(int result, uint32_t pending);
  size_t RecoverPartial();
  void WakeSqpollThread();
  bool HandleWakeFailure(int result);
  void WaitForRoom(uint32_t count);
  bool Pause();
  void FailPending(int32_t result);
  void Fail(uint64_t token, int32_t result);
  int Enter(uint32_t to_submit, uint32_t min_complete, uint32_t flags,
            const __kernel_timespec* timeout);

  const Uring& uring_;
  FailedEvents& failed_;
  SubmissionQueue queue_;
  const bool sqpoll_;
  bool any_failed_ = false;  // in this Submit
  int64_t paused_ns_ = 0;    // in this Submit
  std::atomic<uint64_t> submission_count_{0};
  std::atomic<uint64_t> system_calls_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_SUBMISSION_SIDE_H_
