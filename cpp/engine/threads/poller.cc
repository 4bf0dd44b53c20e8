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

// The remaining events have the same numbers in the kernel, too.
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI);
static_assert(EPOLLERR == POLLERR && EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP);

constexpr uint64_t kAlarm = UINT64_MAX;  // epoll data of the alarm; other values are task indices
constexpr int kEventsMax = 64;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Errors of fcntl(2) and epoll_ctl(2) for a resource that another user may release later.
bool IsShortage(int error) {
  return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOSPC;
}

void SetAlarmAt(int alarm, int64_t at_ns) {
  itimerspec when = {};
  if (at_ns != Timers::kNever) {
    // An absolute time in the past expires immediately; 0 would disarm (timerfd_create(2)).
    when.it_value.tv_sec = static_cast<time_t>(at_ns / kNsPerSecond);
    when.it_value.tv_nsec = static_cast<long>(at_ns % kNsPerSecond);
  }
  ::timerfd_settime(alarm, TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace

Status Poller::Create() {
  constexpr char kRemedy[] =
      "close descriptors that are not needed, or raise RLIMIT_NOFILE (ulimit -n)";
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return ErrnoStatus(errno, "cannot create an epoll instance", kRemedy);
  alarm_.Reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!alarm_.valid()) return ErrnoStatus(errno, "cannot create a timerfd", kRemedy);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kAlarm;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, alarm_.get(), &event) != 0) {
    return ErrnoStatus(errno, "cannot add a timerfd to an epoll instance",
                       "raise fs.epoll.max_user_watches");
  }
  return timers_.Create(pool_.count());
}

Poller::WatchResult Poller::Watch(Task* task, uint32_t events) {
  if (!task->Move(TaskState::kRunning, TaskState::kArming)) return WatchResult::kCancelled;
  if (const int error = Arm(task, events); error != 0) {
    // kFired: a late event from the previous use of this task.
    const bool running = task->Move(TaskState::kArming, TaskState::kRunning) ||
                         task->Move(TaskState::kFired, TaskState::kRunning);
    if (!running) return WatchResult::kCancelled;
    return IsShortage(error) ? WatchResult::kShortage : WatchResult::kUnwatchable;
  }
  // From here on the poller thread may find it ready. Until it is kWaiting, this thread owns it: no
  // other thread may close the duplicate while the watch is being set up.
  if (task->Move(TaskState::kArming, TaskState::kWaiting)) return WatchResult::kWatching;
  return task->Move(TaskState::kFired, TaskState::kRunning) ? WatchResult::kReady
                                                            : WatchResult::kCancelled;
}

int Poller::Arm(Task* task, uint32_t events) {
  epoll_event event = {};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = task->index;
  if (task->watch_fd >= 0) {
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, task->watch_fd, &event) == 0 ? 0 : -errno;
  }
  const int duplicate = ::fcntl(task->fd, F_DUPFD_CLOEXEC, 0);
  // EINVAL: even 0 exceeds the limit, because RLIMIT_NOFILE is 0 (fcntl(2)).
  if (duplicate < 0) return errno == EINVAL ? -EMFILE : -errno;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, duplicate, &event) != 0) {
    const int error = -errno;
    ::close(duplicate);
    return error;
  }
  task->watch_fd = duplicate;
  return 0;
}

void Poller::Unwatch(Task* task) {
  if (task->watch_fd < 0) return;
  // Cleared before the close: a fork child created in between then never closes a descriptor of
  // another file.
  const int duplicate = task->watch_fd;
  task->watch_fd = -1;
  // A close does not end the watch: the watch belongs to the open file, which the caller's
  // descriptor keeps open (epoll(7)).
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, duplicate, nullptr);
  ::close(duplicate);
}

bool Poller::AddTimer(Task* task, int64_t at_ns) {
  const Timers::AddResult added = timers_.Add(task, at_ns);
  if (added == Timers::AddResult::kEarliest) SetAlarm();
  return added != Timers::AddResult::kCancelled;
}

void Poller::SetAlarm() {
  // Without a lock two threads may set it in the wrong order. Each thread reads the earliest time
  // again after it sets the alarm, so the last one to set it has found its value still correct.
  int64_t at_ns = timers_.earliest_ns();
  while (true) {
    SetAlarmAt(alarm_.get(), at_ns);
    const int64_t now_earliest = timers_.earliest_ns();
    if (now_earliest == at_ns) return;
    at_ns = now_earliest;
  }
}

bool Poller::Poll(TaskList& ready, TaskList& expired) {
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
    // This also clears the expiration of the timerfd.
    SetAlarm();
  }
  return !stopped_.load(std::memory_order_seq_cst);
}

void Poller::Fire(Task* task, TaskList& ready) {
  while (true) {
    const uint32_t seen = task->word.load(std::memory_order_acquire);
    switch (Task::StateOf(seen)) {
      case TaskState::kWaiting:
        if (!task->MoveFrom(seen, TaskState::kQueued)) break;
        ready.PushBack(task);
        return;
      case TaskState::kArming:
        if (!task->MoveFrom(seen, TaskState::kFired)) break;
        return;
      default:
        return;  // an event of a watch that has ended
    }
  }
}

void Poller::Stop() {
  stopped_.store(true, std::memory_order_seq_cst);
  // Only the poller thread may set the alarm after this, and it reads stopped_ afterwards.
  SetAlarmAt(alarm_.get(), 1);
}

}  // namespace mooring
