#include "cpp/engine/threads/poller.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "cpp/base/check.h"
#include "cpp/base/deadline.h"

namespace mooring {
namespace {

// The others have the same numbers in the kernel, too.
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI);
static_assert(EPOLLERR == POLLERR && EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP);

constexpr uint64_t kAlarm = UINT64_MAX;  // epoll data of the alarm; others are indices of works
constexpr int kEventsMax = 64;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Of fcntl(2) and epoll_ctl(2): what others hold, and may give back.
bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC;
}

void SetAlarmAt(int alarm, int64_t at_ns) {
  itimerspec when = {};
  if (at_ns != Timers::kNever) {
    // Absolute times that have passed expire at once; 0 would disarm (timerfd_create(2)).
    when.it_value.tv_sec = static_cast<time_t>(at_ns / kNsPerSecond);
    when.it_value.tv_nsec = static_cast<long>(at_ns % kNsPerSecond);
  }
  ::timerfd_settime(alarm, TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace

Status Waiter::Create() {
  constexpr char kRemedy[] = "Close descriptors, or raise RLIMIT_NOFILE.";
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return ErrnoStatus(errno, "epoll_create1", kRemedy);
  alarm_.Reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!alarm_.valid()) return ErrnoStatus(errno, "timerfd_create", kRemedy);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kAlarm;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, alarm_.get(), &event) != 0) {
    return ErrnoStatus(errno, "epoll_ctl", "Raise fs.epoll.max_user_watches.");
  }
  return timers_.Create(pool_.count());
}

Waiter::Watched Waiter::Watch(Work* work, uint32_t events) {
  if (!work->Move(WorkState::kRunning, WorkState::kArming)) return Watched::kCancelled;
  if (const int error = Arm(work, events); error != 0) {
    // kFired: an event of this work's last use came late.
    const bool running = work->Move(WorkState::kArming, WorkState::kRunning) ||
                         work->Move(WorkState::kFired, WorkState::kRunning);
    if (!running) return Watched::kCancelled;
    return IsShortage(error) ? Watched::kNotNow : Watched::kCannot;
  }
  // From here on the waiting thread may find it ready. Until it is kWaiting it stays ours: no one
  // may close the duplicate while it is being armed.
  if (work->Move(WorkState::kArming, WorkState::kWaiting)) return Watched::kYes;
  return work->Move(WorkState::kFired, WorkState::kRunning) ? Watched::kReady : Watched::kCancelled;
}

int Waiter::Arm(Work* work, uint32_t events) {
  epoll_event event = {};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = work->index;
  if (work->watch_fd >= 0) {
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, work->watch_fd, &event) == 0 ? 0 : errno;
  }
  const int duplicate = ::fcntl(work->fd, F_DUPFD_CLOEXEC, 0);
  // EINVAL: even 0 is past the limit, as RLIMIT_NOFILE is 0 (fcntl(2)).
  if (duplicate < 0) return errno == EINVAL ? EMFILE : errno;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, duplicate, &event) != 0) {
    const int error = errno;
    ::close(duplicate);
    return error;
  }
  work->watch_fd = duplicate;
  return 0;
}

void Waiter::Unwatch(Work* work) {
  if (work->watch_fd < 0) return;
  // Before it is closed, so that a fork child that is made in between never closes another's
  // descriptor.
  const int duplicate = work->watch_fd;
  work->watch_fd = -1;
  // Closing would not end the watch: it is of the open file, which lives on behind the caller's own
  // descriptor (epoll(7)).
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, duplicate, nullptr);
  ::close(duplicate);
}

bool Waiter::AddTimer(Work* work, int64_t at_ns) {
  const Timers::Added added = timers_.Add(work, at_ns);
  if (added == Timers::Added::kEarliest) SetAlarm();
  return added != Timers::Added::kCancelled;
}

void Waiter::SetAlarm() {
  // Without a lock two threads may set it in the wrong order: each looks again after setting, so
  // the last one that sets it has found what it set to be still right.
  int64_t at_ns = timers_.earliest_ns();
  while (true) {
    SetAlarmAt(alarm_.get(), at_ns);
    const int64_t now_earliest = timers_.earliest_ns();
    if (now_earliest == at_ns) return;
    at_ns = now_earliest;
  }
}

bool Waiter::Next(WorkList& ready, WorkList& expired) {
  if (stopped_.load(std::memory_order_seq_cst)) return false;
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, -1);
  if (count < 0) {
    CHECK(errno == EINTR);
    return true;
  }
  bool alarm = false;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kAlarm) {
      alarm = true;
    } else {
      Fire(&pool_[static_cast<uint32_t>(events[i].data.u64)], ready);
    }
  }
  if (alarm) {
    timers_.PopExpired(MonotonicNow(), expired);
    // Setting it also takes back that it has rung.
    SetAlarm();
  }
  return !stopped_.load(std::memory_order_seq_cst);
}

void Waiter::Fire(Work* work, WorkList& ready) {
  while (true) {
    const uint32_t seen = work->word.load(std::memory_order_acquire);
    switch (Work::StateOf(seen)) {
      case WorkState::kWaiting:
        if (!work->MoveFrom(seen, WorkState::kQueued)) break;
        ready.PushBack(work);
        return;
      case WorkState::kArming:
        if (!work->MoveFrom(seen, WorkState::kFired)) break;
        return;
      default:
        return;  // an event of a watch that is over
    }
  }
}

void Waiter::Stop() {
  stopped_.store(true, std::memory_order_seq_cst);
  // Nobody else sets the alarm any more but the waiting thread, which looks at stopped_ after that.
  SetAlarmAt(alarm_.get(), 1);
}

}  // namespace mooring
