#include "cpp/engine/io_uring/completion_side.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mooring {
namespace {

// The waits in io_uring_enter(2), which Wake cannot interrupt: the first one, and with
// DEFER_TASKRUN each later one.
constexpr int64_t kBriefWaitNs = 1'000'000;
constexpr int64_t kIdleWaitNs = 40'000'000;
// The number of consecutive submissions that wait in their own system call before one does not.
constexpr uint32_t kWaitsBetweenTries = 8;

void SignalEventFd(int event_fd) {
  const uint64_t one = 1;
  // It can fail only when the counter is at its maximum, and then the eventfd is already readable.
  [[maybe_unused]] const ssize_t written = write(event_fd, &one, sizeof(one));
}

void DrainEventFd(int event_fd) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(event_fd, &count, sizeof(count));
}

void AddOne(std::atomic<uint64_t>& counter) {  // only one thread writes the counter
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

__kernel_timespec AtMost(int64_t nanoseconds, Deadline deadline) {
  return {.tv_sec = 0, .tv_nsec = std::min(deadline.RemainingNs(), nanoseconds)};
}

}  // namespace

CompletionSide::CompletionSide(const Uring& uring, FailedEvents& failed,
                               const SubmissionSide& submission, UniqueFd wake_fd)
    : uring_(uring),
      failed_(failed),
      submission_count_(submission.submission_count()),
      queue_(uring),
      submission_flags_(uring.ring().sq.kflags),
      waits_take_timeouts_(uring.HasFeature(IORING_FEAT_EXT_ARG)),
      defers_taskrun_(uring.HasFlag(IORING_SETUP_DEFER_TASKRUN)),
      wake_fd_(std::move(wake_fd)) {}

uint32_t CompletionSide::Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) {
  const uint32_t count = Take(events);
  if (count >= min_count && count != 0) [[likely]]
    return count;
  return ReapSlowly(events, count, min_count, deadline);
}

uint32_t CompletionSide::ReapSlowly(std::span<Event> events, uint32_t count, uint32_t min_count,
                                    Deadline deadline) {
  min_count = std::min(min_count, static_cast<uint32_t>(events.size()));
  bool idle = false;  // WaitInEnter has timed out since the last WaitInPoll
  bool can_wait = true;
  for (;;) {
    if (count < events.size() && FlushCompletions()) count += Take(events.subspan(count));
    if (count >= min_count || !can_wait || deadline.Passed() || ConsumeWake()) break;
    const bool use_poll = (idle && !defers_taskrun_) || !waits_take_timeouts_;
    can_wait =
        use_poll ? WaitInPoll(deadline, &idle) : WaitInEnter(min_count - count, deadline, &idle);
    count += Take(events.subspan(count));
  }
  if (defers_taskrun_ && event_fd_.valid() && count < events.size()) {
    RearmEventFd();
    count += Take(events.subspan(count));
  }
  return count;
}

uint32_t CompletionSide::Take(std::span<Event> events) {
  uint32_t count = queue_.Take(events);
  // Acquire pairs with SubmissionSide::SubmitPending: see submission_count() there.
  (void)submission_count_.load(std::memory_order_acquire);
  if (!failed_.Empty()) [[unlikely]]
    count += failed_.Take(events.subspan(count));
  return count;
}

SubmissionWait CompletionSide::PlanWait(uint32_t min_count, Deadline deadline,
                                        __kernel_timespec* timeout) {
  if (min_count == 0 || expected_waits_ == 0 || !waits_take_timeouts_) return {};
  --expected_waits_;
  if (!failed_.Empty() || wake_pending_.load(std::memory_order_relaxed)) return {};
  *timeout = AtMost(kBriefWaitNs, deadline);
  if (timeout->tv_nsec == 0) return {};
  return {.min_complete = std::min(min_count, queue_.capacity()),
          .flags = IORING_ENTER_GETEVENTS,
          .timeout = timeout};
}

void CompletionSide::Wake() {
  wake_pending_.store(true, std::memory_order_release);
  SignalEventFd(wake_fd_.get());
}

void CompletionSide::WakeAndSignal() {
  wake_pending_.store(true, std::memory_order_release);
  SignalFailedEvents();
}

void CompletionSide::SignalFailedEvents() {
  SignalEventFd(wake_fd_.get());
  if (const int fd = event_fd_to_signal_.load(std::memory_order_acquire); fd >= 0)
    SignalEventFd(fd);
}

// Readable from the start, so that a first reap finds completions older than the registration.
int CompletionSide::EventFd() {
  if (event_fd_.valid()) return event_fd_.get();
  UniqueFd fd(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return -errno;
  const int number = fd.get();
  const int result = uring_.Register(IORING_REGISTER_EVENTFD, &number, 1);
  if (result < 0) return result;
  event_fd_ = std::move(fd);
  event_fd_to_signal_.store(number, std::memory_order_release);
  return number;
}

// For kernels that signal pending work only once for each registration: see the header. The caller
// of Reap found nothing more and may sleep on the descriptor next. The last Enter delivers
// completions that became ready before the new registration.
void CompletionSide::RearmEventFd() {
  const int number = event_fd_.get();
  AddOne(system_calls_);
  AddOne(system_calls_);
  (void)uring_.Register(IORING_UNREGISTER_EVENTFD, nullptr, 0);
  if (uring_.Register(IORING_REGISTER_EVENTFD, &number, 1) < 0) SignalEventFd(number);
  (void)Enter(0, nullptr);
}

// Makes the kernel deliver completions that are ready but not in the queue: deferred task work, and
// completions that did not fit, which the kernel keeps in order until there is room
// (IORING_FEAT_NODROP, 5.5). False when there are none.
bool CompletionSide::FlushCompletions() {
  const uint32_t flags = __atomic_load_n(submission_flags_, __ATOMIC_ACQUIRE);
  if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0) return false;
  if ((flags & IORING_SQ_CQ_OVERFLOW) != 0) AddOne(overflows_);
  (void)Enter(0, nullptr);
  return true;
}

// False when this thread cannot wait here.
bool CompletionSide::WaitInEnter(uint32_t count, Deadline deadline, bool* idle) {
  expected_waits_ = kWaitsBetweenTries;
  const __kernel_timespec timeout = AtMost(*idle ? kIdleWaitNs : kBriefWaitNs, deadline);
  switch (Enter(std::min(count, queue_.capacity()), &timeout)) {
    case 0:
    case -EINTR:  // the deadline is absolute
    case -EBUSY:  // the queue is full: up to 5.12 the kernel does not wait then
    case -EBADR:  // no memory to keep a completion that did not fit; reported once
      return true;
    case -ETIME:
    case -EAGAIN:
      *idle = true;
      return true;
    default:  // EEXIST: not the owner's thread; EBADF, EBADFD, EPERM: the ring is not usable
      return false;
  }
}

// Waits until the ring has a completion, Wake is called, the deadline passes, or a signal arrives.
// False when this thread cannot wait here.
bool CompletionSide::WaitInPoll(Deadline deadline, bool* idle) {
  *idle = false;
  pollfd fds[2] = {{.fd = wake_fd_.get(), .events = POLLIN, .revents = 0},
                   {.fd = uring_.fd(), .events = POLLIN, .revents = 0}};
  const timespec timeout = deadline.Remaining();
  AddOne(system_calls_);
  const int ready = ppoll(fds, 2, deadline.IsNever() ? nullptr : &timeout, nullptr);
  if (ready < 0) return errno == EINTR;
  if (fds[0].revents != 0) DrainEventFd(wake_fd_.get());
  return (fds[1].revents & (POLLNVAL | POLLERR)) == 0;
}

bool CompletionSide::ConsumeWake() {
  if (!wake_pending_.load(std::memory_order_relaxed)) return false;
  // Acquire pairs with Wake: the woken thread sees the writes before it.
  wake_pending_.exchange(false, std::memory_order_acquire);
  DrainEventFd(wake_fd_.get());
  return true;
}

int CompletionSide::Enter(uint32_t min_complete, const __kernel_timespec* timeout) {
  AddOne(system_calls_);
  return uring_.Enter(0, min_complete, IORING_ENTER_GETEVENTS, timeout);
}

}  // namespace mooring
