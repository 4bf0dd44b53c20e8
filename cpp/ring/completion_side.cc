#include "cpp/ring/completion_side.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mooring {
namespace {

// The longest wait that Wake cannot end at once.
constexpr int64_t kBriefWaitNs = 1'000'000;
// How many submissions in a row wait in their own system call before one is tried without.
constexpr uint32_t kWaitsBetweenLooks = 8;
// The longest sleep on a descriptor that others read, too.
constexpr int64_t kSharedWaitNs = 50'000'000;

void Ring(int event_fd) {
  const uint64_t one = 1;
  // It can fail only when the counter is full, and then it is readable anyway.
  [[maybe_unused]] const ssize_t written = write(event_fd, &one, sizeof(one));
}

void Silence(int event_fd) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(event_fd, &count, sizeof(count));
}

void AddOne(std::atomic<uint64_t>& counter) {  // only one thread writes it
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

__kernel_timespec BriefWait(Deadline deadline) {
  return {.tv_sec = 0, .tv_nsec = std::min(deadline.RemainingNs(), kBriefWaitNs)};
}

}  // namespace

CompletionSide::CompletionSide(const Uring& uring, FailedEvents& failed,
                               const SubmissionSide& submission, UniqueFd wake_fd)
    : uring_(uring),
      failed_(failed),
      hand_overs_(submission.hand_overs()),
      queue_(uring),
      submission_flags_(uring.ring().sq.kflags),
      waits_take_timeouts_(uring.HasFeature(IORING_FEAT_EXT_ARG)),
      defers_(uring.HasFlag(IORING_SETUP_DEFER_TASKRUN)),
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
  bool parked = false;
  for (;;) {
    if (count < events.size() && LetKernelDeliver()) count += Take(events.subspan(count));
    if (count >= min_count || deadline.Passed() || TakeWake()) return count;
    const bool waited = parked || !waits_take_timeouts_
                            ? Park(deadline, &parked)
                            : WaitBriefly(min_count - count, deadline, &parked);
    count += Take(events.subspan(count));
    if (!waited) return count;
  }
}

uint32_t CompletionSide::Take(std::span<Event> events) {
  uint32_t count = queue_.Take(events);
  // Acquire pairs with SubmissionSide::HandOver: see hand_overs() there.
  (void)hand_overs_.load(std::memory_order_acquire);
  if (!failed_.Empty()) [[unlikely]]
    count += failed_.Take(events.subspan(count));
  return count;
}

SubmissionWait CompletionSide::Plan(uint32_t min_count, Deadline deadline,
                                    __kernel_timespec* timeout) {
  // With DEFER_TASKRUN what is due completes only in a call that asks for events: each must, or a
  // caller who always finds something to reap would never come to see the rest.
  const SubmissionWait no_wait = {.flags = defers_ ? IORING_ENTER_GETEVENTS : 0};
  if (min_count == 0 || expected_waits_ == 0 || !waits_take_timeouts_) return no_wait;
  --expected_waits_;
  if (!failed_.Empty() || wake_pending_.load(std::memory_order_relaxed)) return no_wait;
  *timeout = BriefWait(deadline);
  if (timeout->tv_nsec == 0) return no_wait;
  return {.min_complete = std::min(min_count, queue_.capacity()),
          .flags = IORING_ENTER_GETEVENTS,
          .timeout = timeout};
}

void CompletionSide::Wake() {
  wake_pending_.store(true, std::memory_order_release);
  Ring(wake_fd_.get());
}

void CompletionSide::NotifyFailed() {
  Ring(wake_fd_.get());
  if (const int fd = event_fd_to_signal_.load(std::memory_order_acquire); fd >= 0) Ring(fd);
}

int CompletionSide::Start() {
  if (!defers_) return 0;
  SetSilenced(true);
  const int fd = wake_fd_.get();
  const int result = uring_.Control(IORING_REGISTER_EVENTFD, &fd, 1);
  return result < 0 ? -result : 0;
}

// Readable from the start: what was ready before the kernel knew of it is found by the first reap.
// A ring takes one eventfd, so with DEFER_TASKRUN the caller gets ours, and it is silent no more.
int CompletionSide::EventFd() {
  if (const int fd = event_fd_to_signal_.load(std::memory_order_relaxed); fd >= 0) return fd;
  int fd = wake_fd_.get();
  if (!defers_) {
    event_fd_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event_fd_.valid()) return -1;
    fd = event_fd_.get();
    if (const int result = uring_.Control(IORING_REGISTER_EVENTFD, &fd, 1); result < 0) {
      errno = -result;
      return -1;
    }
  }
  event_fd_to_signal_.store(fd, std::memory_order_release);
  if (defers_) SetSilenced(false);
  Ring(fd);
  return fd;
}

void CompletionSide::SetSilenced(bool silenced) {
  const bool shared = event_fd_to_signal_.load(std::memory_order_relaxed) >= 0;
  queue_.SetFlags(silenced && !shared ? IORING_CQ_EVENTFD_DISABLED : 0);
}

// Completions may be ready that are not in the queue: work that the kernel has put off until we
// come by, and those that found the queue full, which wait in order until there is room
// (IORING_FEAT_NODROP, 5.5).
bool CompletionSide::LetKernelDeliver() {
  const uint32_t flags = __atomic_load_n(submission_flags_, __ATOMIC_ACQUIRE);
  if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0) return false;
  if ((flags & IORING_SQ_CQ_OVERFLOW) != 0) AddOne(overflows_);
  (void)Enter(0, nullptr);
  return true;
}

// False when waiting here is hopeless.
bool CompletionSide::WaitBriefly(uint32_t count, Deadline deadline, bool* parked) {
  expected_waits_ = kWaitsBetweenLooks;
  const __kernel_timespec timeout = BriefWait(deadline);
  switch (Enter(std::min(count, queue_.capacity()), &timeout)) {
    case 0:
    case -EINTR:  // the deadline has not moved
    case -EBUSY:  // the queue is full: up to 5.12 the kernel does not wait then
    case -EBADR:  // there was no memory to keep a completion that found the queue full; said once
      return true;
    case -ETIME:
    case -EAGAIN:
      *parked = true;
      return true;
    default:  // EEXIST: not the owner's thread; EBADF, EBADFD, EPERM: not ours to use any more
      return false;
  }
}

// Until the ring has something, somebody wakes us, or the deadline passes. False when waiting here
// is hopeless.
bool CompletionSide::Park(Deadline deadline, bool* parked) {
  *parked = false;
  if (defers_) return SleepWithWorkDeferred(deadline);
  pollfd fds[2] = {{.fd = wake_fd_.get(), .events = POLLIN, .revents = 0},
                   {.fd = uring_.fd(), .events = POLLIN, .revents = 0}};
  return SleepUntilSignalled(fds, deadline) && (fds[1].revents & (POLLNVAL | POLLERR)) == 0;
}

bool CompletionSide::SleepWithWorkDeferred(Deadline deadline) {
  SetSilenced(false);
  // Either the kernel finds the signal on, or this finds what the kernel has put off.
  const int result = Enter(0, nullptr);
  bool hopeful = result >= 0 || result == -EINTR;
  if (hopeful && queue_.Empty()) {
    pollfd fds[1] = {{.fd = wake_fd_.get(), .events = POLLIN, .revents = 0}};
    hopeful = SleepUntilSignalled(fds, deadline);
  }
  SetSilenced(true);
  return hopeful;
}

// fds[0] is ours; EINTR is as good a reason to look again as any.
bool CompletionSide::SleepUntilSignalled(std::span<pollfd> fds, Deadline deadline) {
  timespec timeout = deadline.Remaining();
  bool forever = deadline.IsNever();
  // A caller who has been given our own descriptor may read it before we see it.
  if (defers_ && event_fd_to_signal_.load(std::memory_order_relaxed) >= 0 &&
      deadline.RemainingNs() > kSharedWaitNs) {
    timeout = {.tv_sec = 0, .tv_nsec = kSharedWaitNs};
    forever = false;
  }
  AddOne(system_calls_);
  if (ppoll(fds.data(), fds.size(), forever ? nullptr : &timeout, nullptr) < 0)
    return errno == EINTR;
  if (fds[0].revents != 0) Silence(fds[0].fd);
  return true;
}

bool CompletionSide::TakeWake() {
  if (!wake_pending_.load(std::memory_order_relaxed)) return false;
  // Acquire pairs with Wake: whoever is woken sees why.
  wake_pending_.exchange(false, std::memory_order_acquire);
  Silence(wake_fd_.get());
  return true;
}

int CompletionSide::Enter(uint32_t min_complete, const __kernel_timespec* timeout) {
  AddOne(system_calls_);
  return uring_.Enter(0, min_complete, IORING_ENTER_GETEVENTS, timeout);
}

}  // namespace mooring
