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
    return ErrnoStatus(ENOMEM, "memory for the completions of a threads engine",
                       "Ask for fewer operations in flight (in_flight_max).");
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

// The slot's last event has been reaped: among as many claims as this is one of, there is one of a
// request that was submitted after that. Acquire and release make what it knows known here, too.
uint64_t EventQueue::Claim(uint64_t count) {
  return claimed_.fetch_add(count, std::memory_order_acq_rel);
}

void EventQueue::Fill(uint64_t position, const Event& event, uint32_t task) {
  Slot& slot = slots_[position & mask_];
  // The event of the lap before this one has been reaped: else more were in flight than
  // in_flight_max.
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
  // Of several producers past the mark, one makes the system call.
  if (wake_at_.exchange(kNobodyWaits, std::memory_order_seq_cst) == kNobodyWaits) return;
  wake_word_.fetch_add(1, std::memory_order_release);
  FutexWake(wake_word_, 1);
}

void EventQueue::SignalEventFd() {
  // Written already, and no Reap since: the one that will come sees what was published before this
  // point.
  if (signalled_.load(std::memory_order_seq_cst)) return;
  if (signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  // It can fail only by being full (EAGAIN), and then it is readable.
  [[maybe_unused]] const ssize_t written =
      ::write(event_fd_.load(std::memory_order_relaxed), &one, sizeof(one));
}

uint32_t EventQueue::Take(std::span<Event> events) {
  uint32_t count = 0;
  for (; count < events.size(); ++count) {
    const Slot& slot = slots_[head_ & mask_];
    if (slot.sequence.load(std::memory_order_acquire) != head_ + 1) break;
    events[count] = slot.event;
    if (slot.task != kNoTask) pool_.Give(slot.task);
    ++head_;
  }
  if (count > 0) pool_.Publish();
  return count;
}

uint32_t EventQueue::Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) {
  min_count = std::min(min_count, static_cast<uint32_t>(events.size()));
  // Before the events are looked at: what is published later writes the eventfd again.
  if (event_fd_.load(std::memory_order_relaxed) >= 0) {
    signalled_.store(false, std::memory_order_seq_cst);
  }
  uint32_t count = 0;
  while (true) {
    const uint64_t seen = published();
    count += Take(events.subspan(count));
    if (count >= min_count) return count;
    // Relaxed first: an exchange for each look would cost more than the look.
    if (wake_asked_.load(std::memory_order_relaxed) && wake_asked_.exchange(false)) return count;
    if (deadline.Passed()) return count;
    // More than was seen, for then an event that was claimed but not visible has become so.
    Sleep(std::max(head_ + (min_count - count), seen + 1), deadline);
  }
}

void EventQueue::Sleep(uint64_t wake_at, Deadline deadline) {
  const uint32_t word = wake_word_.load(std::memory_order_acquire);
  wake_at_.store(wake_at, std::memory_order_seq_cst);
  if (published() < wake_at && !wake_asked_.load(std::memory_order_seq_cst)) {
    FutexWait(wake_word_, word, deadline);
  }
  wake_at_.store(kNobodyWaits, std::memory_order_seq_cst);
}

void EventQueue::Wake() {
  wake_asked_.store(true, std::memory_order_seq_cst);
  WakeSleeper();
}

void EventQueue::Alert() {
  Wake();
  if (event_fd_.load(std::memory_order_seq_cst) >= 0) SignalEventFd();
}

Result<int> EventQueue::EventFd() {
  if (event_fd_owner_.valid()) return event_fd_owner_.get();
  event_fd_owner_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd_owner_.valid()) {
    return ErrnoStatus(errno, "eventfd", "Close descriptors, or raise RLIMIT_NOFILE.");
  }
  event_fd_.store(event_fd_owner_.get(), std::memory_order_seq_cst);
  // What was published before this had no descriptor to write to.
  if (published() > head_) SignalEventFd();
  return event_fd_owner_.get();
}

}  // namespace mooring
