// FailedEvents: a queue of results for requests that the kernel did not accept. The submission side
// pushes them, the completion side takes them. Each request gets one event, so in_flight_max
// entries are enough.
//
// Threading: one thread pushes (the submission side) while another takes (the completion side).
//
//   failed.Push(token, -EAGAIN);                    // submission side
//   if (!failed.Empty()) count = failed.Take(events);  // completion side
#ifndef MOORING_CPP_ENGINE_IO_URING_FAILED_EVENTS_H_
#define MOORING_CPP_ENGINE_IO_URING_FAILED_EVENTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"
#include "cpp/engine/request.h"

namespace mooring {

class FailedEvents {
 public:
  explicit FailedEvents(uint32_t in_flight_max)
      : mask_(RoundUpToPowerOfTwo(in_flight_max) - 1), events_(new Event[size_t{mask_} + 1]) {}

  void Push(uint64_t token, int32_t result) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    // Acquire pairs with the release in Take: its reads of the slot happened before.
    CHECK(tail - head_.load(std::memory_order_acquire) <= mask_);
    events_[tail & mask_] = Event{.token = token, .result = result};
    // Release pairs with the acquire in Take and Empty: it publishes the slot.
    tail_.store(tail + 1, std::memory_order_release);
  }

  bool Empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }

  uint32_t Take(std::span<Event> events) {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    const uint32_t ready = tail_.load(std::memory_order_acquire) - head;
    const uint32_t count = ready < events.size() ? ready : static_cast<uint32_t>(events.size());
    for (uint32_t i = 0; i < count; ++i) events[i] = events_[(head + i) & mask_];
    head_.store(head + count, std::memory_order_release);
    return count;
  }

 private:
  const uint32_t mask_;
  const std::unique_ptr<Event[]> events_;
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_FAILED_EVENTS_H_
