// SubmissionSide: submits requests to the kernel, in complete chains. Requests that the kernel does
// not accept become failed events. It never drops a request and never waits for one to complete.
//
// Threading: one thread at a time; counters: any thread.
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

// The wait for completions in the system call that submits the last requests.
struct SubmissionWait {
  uint32_t min_complete = 0;
  uint32_t flags = 0;                          // IORING_ENTER_GETEVENTS, or 0
  const __kernel_timespec* timeout = nullptr;  // null: no wait
};

class SubmissionSide {
 public:
  // Both references outlive the object.
  SubmissionSide(const Uring& uring, FailedEvents& failed, KernelQuirks quirks);

  // True when requests have failed. Their events are in FailedEvents, and the kernel does not
  // signal them.
  bool Submit(std::span<const Request> requests, const SubmissionWait& wait);

  // Returns when the kernel has consumed and started all submitted requests. It waits only with
  // SQPOLL. The result is that of Submit.
  bool WaitUntilConsumed();

  // True from the first drain on: requests, including cancels, may then wait inside the kernel.
  bool has_seen_drain() const { return queue_.has_seen_drain(); }

  // Incremented before each submission to the kernel. A thread that loads it (acquire) after it has
  // seen the result of a request also sees all writes before the submission. The kernel orders
  // these two, but no C++ rule says so, and a sanitizer does not see it.
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
