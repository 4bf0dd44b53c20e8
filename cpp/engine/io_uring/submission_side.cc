#include "cpp/engine/io_uring/submission_side.h"

#include <time.h>

#include <cerrno>

namespace mooring {
namespace {

// How long one Submit bears with a kernel that has no room for a request, before the request fails
// with that errno.
constexpr int64_t kRetryTimeMaxNs = 100'000'000;
constexpr int64_t kPauseMinNs = 20'000;

// Only this side writes the counter.
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

// Returns how many of the last requests are to be filled in again.
size_t SubmissionSide::SubmitPending(const SubmissionWait& wait) {
  AddOne(submission_count_, std::memory_order_release);
  if (sqpoll_) {
    WakeSqpollThread();
    return 0;
  }
  queue_.Publish();
  const uint32_t pending = queue_.Pending();
  // With DEFER_TASKRUN what is due completes only in a call that asks for events. Where something
  // is, this one asks: who always finds something to reap would never come to see the rest.
  const bool is_due = (queue_.flags() & IORING_SQ_TASKRUN) != 0;
  const uint32_t flags = wait.flags | (is_due ? IORING_ENTER_GETEVENTS : 0);
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
    case -EBUSY:   // completions wait for room in their queue; 5.5 to 5.12 take no more until then
      if (Pause()) break;
      [[fallthrough]];
    default:  // EEXIST: not the owner's thread; EBADFD, ENXIO, EPERM: not ours to use any more
      FailPending(result < 0 ? result : -EIO);
      return 0;
  }
  queue_.Retract(queue_.head());
  return unconsumed;
}

// The kernel took the first ones and stopped: without SUBMIT_ALL (5.18) at a bad request, else for
// want of memory. Its chain of links ended there, so what is left of a chain must not start as if
// it stood alone.
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

// A thread that sleeps on would leave its requests for ever: where it cannot be woken, as behind a
// seccomp filter that came after the ring, they fail.
void SubmissionSide::WakeSqpollThread() {
  bool asleep = queue_.PublishToSqpollThread();
  while (asleep) {
    const int result = Enter(queue_.Pending(), 0, IORING_ENTER_SQ_WAKEUP, nullptr);
    if (result >= 0 || HandleWakeFailure(result)) return;
    asleep = queue_.SqpollThreadSleeps();
  }
}

// After a wake-up that was refused: true when all that is pending has failed for it.
bool SubmissionSide::HandleWakeFailure(int result) {
  // EOWNERDEAD: the polling thread is gone, and nobody will take them.
  if (result != -EOWNERDEAD && (Pause() || !queue_.HideFromSqpollThread())) return false;
  FailPending(result);
  return true;
}

// With SQPOLL only: else every Submit leaves the queue empty.
void SubmissionSide::WaitForRoom(uint32_t count) {
  while (queue_.Room() < count) {
    const int result =
        Enter(queue_.Pending(), 0, IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT, nullptr);
    if (result < 0 && HandleWakeFailure(result)) return;
    // SQ_WAIT (5.10) ends when there is room for one. The thread is awake and at work: the rest is
    // near.
    if (queue_.Room() < count) {
      const timespec pause = {.tv_sec = 0, .tv_nsec = kPauseMinNs};
      nanosleep(&pause, nullptr);
    }
  }
}

// Gives the kernel a chance to finish something, longer each time; false when patience is at its
// end.
bool SubmissionSide::Pause() {
  if (paused_ns_ >= kRetryTimeMaxNs) return false;
  // Runs what is due, and moves completions that wait into their queue, if the other side has made
  // room there.
  (void)Enter(0, 0, IORING_ENTER_GETEVENTS, nullptr);
  const int64_t pause_ns = paused_ns_ < kPauseMinNs ? kPauseMinNs : paused_ns_ / 2;
  const timespec pause = {.tv_sec = 0, .tv_nsec = pause_ns};
  nanosleep(&pause, nullptr);
  paused_ns_ += pause_ns;
  return true;
}

void SubmissionSide::FailPending(int32_t result) {
  const uint32_t head = queue_.head();
  bool linked = false;  // to one that fails here
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
