#include "cpp/engine/io_uring/submission_side.h"

#include <time.h>

#include <cerrno>

namespace mooring {
namespace {

// Time limit for one Submit while the kernel accepts no entries. After it, they fail with the
// kernel's errno.
constexpr int64_t kRetryTimeMaxNs = 100'000'000;
constexpr int64_t kPauseMinNs = 20'000;

// Only the submission side writes the counter.
void AddOne(std::atomic<uint64_t>& counter, std::memory_order order) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, order);
}

}  // namespace

SubmissionSide::SubmissionSide(const Uring& uring, FailedEvents& failed, KernelQuirks quirks)
    : uring_(uring),
      failed_(failed),
      queue_(uring, quirks),
      sqpoll_(uring.HasFlag(IORING_SETUP_SQPOLL)) {}

bool SubmissionSide::Submit(std::span<const Request> requests, const SubmissionWait& wait) {
  any_failed_ = false;
  paused_ns_ = 0;
  size_t next = 0;
  while (next < requests.size()) {
    const size_t filled = queue_.PushChains(requests.subspan(next));
    if (filled != 0) {
      next += filled;
      next -= SubmitPending(next == requests.size() ? wait : SubmissionWait{});
      continue;
    }
    const uint32_t length = SubmissionQueue::ChainLength(requests.subspan(next));
    if (length <= queue_.capacity()) {
      WaitForRoom(length);
      continue;
    }
    for (const Request& request : requests.subspan(next, length)) Fail(request.token, -EINVAL);
    next += length;
  }
  return any_failed_;
}

// Returns how many of the last requests must be pushed again.
size_t SubmissionSide::SubmitPending(const SubmissionWait& wait) {
  AddOne(submission_count_, std::memory_order_release);
  if (sqpoll_) {
    WakeSqpollThread();
    return 0;
  }
  queue_.Publish();
  const uint32_t pending = queue_.Pending();
  // With DEFER_TASKRUN, pending task work runs only in a call that asks for events. So this call
  // asks when there is any: a caller that always finds events to reap would otherwise never run it.
  const bool has_task_work = (queue_.flags() & IORING_SQ_TASKRUN) != 0;
  const uint32_t flags = wait.flags | (has_task_work ? IORING_ENTER_GETEVENTS : 0);
  const int result = Enter(pending, wait.min_complete, flags, wait.timeout);
  if (result == static_cast<int>(pending)) [[likely]]
    return 0;
  return Recover(result, pending);
}

size_t SubmissionSide::Recover(int result, uint32_t pending) {
  const uint32_t unconsumed = queue_.Pending();
  if (unconsumed < pending) return RecoverPartial();
  switch (result) {
    case -EINTR:
      break;
    case -EAGAIN:  // no memory for a request (io_uring_enter(2))
    case -EBUSY:   // completions wait for room in their queue; 5.5 to 5.12 consume nothing then
      if (Pause()) break;
      [[fallthrough]];
    default:  // EEXIST: not the owner's thread; EBADFD, ENXIO, EPERM: the ring is not usable
      FailPending(result < 0 ? result : -EIO);
      return 0;
  }
  queue_.Retract(queue_.head());
  return unconsumed;
}

// The kernel consumed the first entries and stopped: at an invalid request without SUBMIT_ALL
// (5.18), otherwise for lack of memory. This ended the current chain in the kernel. The rest of the
// chain must not start as separate requests, so it fails with ECANCELED.
size_t SubmissionSide::RecoverPartial() {
  const uint32_t head = queue_.head();
  uint32_t position = head;
  bool cut = (queue_.At(head - 1).flags & IOSQE_IO_LINK) != 0;
  for (; cut && position != queue_.tail(); ++position) {
    cut = (queue_.At(position).flags & IOSQE_IO_LINK) != 0;
    Fail(queue_.At(position).user_data, -ECANCELED);
  }
  const size_t unconsumed = queue_.tail() - position;
  queue_.Retract(head);
  return unconsumed;
}

bool SubmissionSide::WaitUntilConsumed() {
  any_failed_ = false;
  paused_ns_ = 0;
  if (sqpoll_) WaitForRoom(queue_.capacity());
  return any_failed_;
}

// Requests fail where the SQPOLL thread cannot be woken, for example because of a seccomp filter
// that was installed after the ring was made. Otherwise they would stay in the queue without limit.
void SubmissionSide::WakeSqpollThread() {
  bool asleep = queue_.PublishToSqpollThread();
  while (asleep) {
    const int result = Enter(queue_.Pending(), 0, IORING_ENTER_SQ_WAKEUP, nullptr);
    if (result >= 0 || HandleWakeFailure(result)) return;
    asleep = queue_.SqpollThreadSleeps();
  }
}

// Called after a failed wake-up: true when all pending requests have failed with its errno.
bool SubmissionSide::HandleWakeFailure(int result) {
  // EOWNERDEAD: the SQPOLL thread has ended and will not consume them.
  if (result != -EOWNERDEAD && (Pause() || !queue_.HideFromSqpollThread())) return false;
  FailPending(result);
  return true;
}

// Only with SQPOLL: otherwise each Submit leaves the queue empty.
void SubmissionSide::WaitForRoom(uint32_t count) {
  while (queue_.Room() < count) {
    const int result =
        Enter(queue_.Pending(), 0, IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT, nullptr);
    if (result < 0 && HandleWakeFailure(result)) return;
    // SQ_WAIT (5.10) returns when there is room for one entry. The SQPOLL thread is awake and
    // consumes the others soon.
    if (queue_.Room() < count) {
      const timespec pause = {.tv_sec = 0, .tv_nsec = kPauseMinNs};
      nanosleep(&pause, nullptr);
    }
  }
}

// Sleeps, longer each time, so that the kernel can complete requests; false after kRetryTimeMaxNs.
bool SubmissionSide::Pause() {
  if (paused_ns_ >= kRetryTimeMaxNs) return false;
  // Runs pending task work, and moves waiting completions into their queue if the completion side
  // has made room.
  (void)Enter(0, 0, IORING_ENTER_GETEVENTS, nullptr);
  const int64_t pause_ns = paused_ns_ < kPauseMinNs ? kPauseMinNs : paused_ns_ / 2;
  const timespec pause = {.tv_sec = 0, .tv_nsec = pause_ns};
  nanosleep(&pause, nullptr);
  paused_ns_ += pause_ns;
  return true;
}

void SubmissionSide::FailPending(int32_t result) {
  const uint32_t head = queue_.head();
  bool linked = false;  // to a request that fails here
  for (uint32_t position = head; position != queue_.tail(); ++position) {
    Fail(queue_.At(position).user_data, linked ? -ECANCELED : result);
    linked = (queue_.At(position).flags & IOSQE_IO_LINK) != 0;
  }
  queue_.Retract(head);
}

void SubmissionSide::Fail(uint64_t token, int32_t result) {
  any_failed_ = true;
  failed_.Push(token, result);
}

int SubmissionSide::Enter(uint32_t to_submit, uint32_t min_complete, uint32_t flags,
                          const __kernel_timespec* timeout) {
  AddOne(system_calls_, std::memory_order_relaxed);
  return uring_.Enter(to_submit, min_complete, flags, timeout);
}

}  // namespace mooring
