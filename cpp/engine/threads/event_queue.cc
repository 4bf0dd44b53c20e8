#include "cpp/engine/threads/event_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"
#include "cpp/engine/threads/futex.h"

namespace mooring {

Status EventQueue::Create() {
  CHECK(slots_ == nullptr);
  const uint32_t capacity = RoundUpToPowerOfTwo(pool_.count());
  mask_ = capacity - 1;
  slots_.reset(new (std::nothrow) Slot[capacity]);
  if (!slots_) {
    return ErrnoStatus(ENOMEM, "cannot allocate the completion queue of a threads engine",
                       "ask for fewer operations in flight (in_flight_max)");
  }
  return OkStatus();
}

void EventQueue::Publish(uint64_t token, int32_t result, const Task& task) {
  Fill(Claim(1), Event{token, result, 0}, task.index);
  CountAndNotify(1);
}

void EventQueue::Publish(std::span<const Event> events) {
  if (events.empty()) return;
  uint64_t position = Claim(events.size());
  for (const Event& event : events) Fill(position++, event, kNoTask);
  CountAndNotify(static_cast<uint32_t>(events.size()));
}

// The previous event of the claimed slot has been reaped: of the claims since then, at least one is
// for a request that was submitted after that reap. The acquire and release on claimed_ pass this
// on to the calling thread.
uint64_t EventQueue::Claim(uint64_t count) {
  return claimed_.fetch_add(count, std::memory_order_acq_rel);
}

void EventQueue::Fill(uint64_t position, const Event& event, uint32_t task) {
  Slot& slot = slots_[position & mask_];
  // The event of the previous lap has been reaped. Otherwise more requests than in_flight_max would
  // be in flight.
  DCHECK(slot.sequence.load(std::memory_order_relaxed) ==
         (position > mask_ ? position - mask_ : 0));
  slot.event = event;
  slot.task = task;
  slot.sequence.store(position + 1, std::memory_order_release);
}

void EventQueue::CountAndNotify(uint32_t count) {
  const uint64_t published = published_.fetch_add(count, std::memory_order_seq_cst) + count;
  if (published >= wake_at_.load(std::memory_order_seq_cst)) WakeSleeper();
  if (event_fd_.load(std::memory_order_seq_cst) >= 0) SignalEventFd();
}

void EventQueue::WakeSleeper() {
  // Of several producers that reach wake_at_, one makes the system call.
  if (wake_at_.exchange(kNoWaiter, std::memory_order_seq_cst) == kNoWaiter) return;
  wake_word_.fetch_add(1, std::memory_order_release);
  FutexWake(wake_word_, 1);
}

void EventQueue::SignalEventFd() {
  // The eventfd has been written and no Reap followed: the next Reap sees all that is published
  // before this point.
  if (signalled_.load(std::memory_order_seq_cst)) return;
  if (signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  // The write fails only if the counter is full (EAGAIN), and then the eventfd is readable.
  [[maybe_unused]] const ssize_t written =
      ::write(event_fd_.load(std::memory_order_relaxed), &one, sizeof(one));
}

uint32_t EventQueue::Take(std::span<Event> events) {
  uint32_t count = 0;
  for (; count < events.size(); ++count) {
    const Slot& slot = slots_[head_ & mask_];
    if (slot.sequence.load(std::memory_order_acquire) != head_ + 1) break;
    events[count] = slot.event;
    if (slot.task != kNoTask) pool_.Free(slot.task);
    ++head_;
  }
  if (count > 0) pool_.PublishFreed();
  return count;
}

uint32_t EventQueue::Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) {
  min_count = std::min(min_count, static_cast<uint32_t>(events.size()));
  // Cleared before the events are read: a later publication then writes the eventfd again.
  if (event_fd_.load(std::memory_order_relaxed) >= 0) {
    signalled_.store(false, std::memory_order_seq_cst);
  }
  uint32_t count = 0;
  while (true) {
    const uint64_t seen = published();
    count += Take(events.subspan(count));
    if (count >= min_count) return count;
    // A relaxed load first: an exchange in each round would cost more than the round.
    if (wake_requested_.load(std::memory_order_relaxed) && wake_requested_.exchange(false))
      return count;
    if (deadline.Passed()) return count;
    // At least one more than `seen`: an event that was claimed but not visible is then visible.
    Sleep(std::max(head_ + (min_count - count), seen + 1), deadline);
  }
}

void EventQueue::Sleep(uint64_t wake_at, Deadline deadline) {
  const uint32_t word = wake_word_.load(std::memory_order_acquire);
  wake_at_.store(wake_at, std::memory_order_seq_cst);
  if (published() < wake_at && !wake_requested_.load(std::memory_order_seq_cst)) {
    FutexWait(wake_word_, word, deadline);
  }
  wake_at_.store(kNoWaiter, std::memory_order_seq_cst);
}

void EventQueue::Wake() {
  wake_requested_.store(true, std::memory_order_seq_cst);
  WakeSleeper();
}

void EventQueue::WakeAndSignal() {
  Wake();
  if (event_fd_.load(std::memory_order_seq_cst) >= 0) SignalEventFd();
}

Result<int> EventQueue::EventFd() {
  if (event_fd_owner_.valid()) return event_fd_owner_.get();
  event_fd_owner_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd_owner_.valid()) {
    return ErrnoStatus(errno, "cannot create an eventfd",
                       "close descriptors that are not needed, or raise RLIMIT_NOFILE (ulimit -n)");
  }
  event_fd_.store(event_fd_owner_.get(), std::memory_order_seq_cst);
  // Earlier publications had no descriptor to write to.
  if (published() > head_) SignalEventFd();
  return event_fd_owner_.get();
}

}  // namespace mooring
