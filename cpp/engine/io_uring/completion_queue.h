// CompletionQueue: the queue that the kernel writes completions to, in shared memory. It makes no
// system call: see completion_side.h.
//
// Threading: one thread at a time (the completion side), in parallel with the kernel.
//
//   count += queue.Take(events.subspan(count));
#ifndef MOORING_CPP_ENGINE_IO_URING_COMPLETION_QUEUE_H_
#define MOORING_CPP_ENGINE_IO_URING_COMPLETION_QUEUE_H_

#include <cstdint>
#include <span>

#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/request.h"

namespace mooring {

class CompletionQueue {
 public:
  // `uring` outlives the queue.
  explicit CompletionQueue(const Uring& uring)
      : mask_(uring.params().cq_entries - 1),
        entries_(uring.ring().cq.cqes),
        head_(uring.ring().cq.khead),
        tail_(uring.ring().cq.ktail) {}

  uint32_t capacity() const { return mask_ + 1; }

  // Moves all completions that are available and fit into `events`, then frees their entries with
  // one store.
  uint32_t Take(std::span<Event> events) {
    const uint32_t head = *head_;  // only this side writes it
    // Acquire pairs with the kernel's release of the tail after it has written entries.
    const uint32_t ready = __atomic_load_n(tail_, __ATOMIC_ACQUIRE) - head;
    const uint32_t count = ready < events.size() ? ready : static_cast<uint32_t>(events.size());
    for (uint32_t i = 0; i < count; ++i) {
      const io_uring_cqe& entry = entries_[(head + i) & mask_];
      events[i] = Event{.token = entry.user_data, .result = entry.res, .flags = entry.flags};
    }
    // Release: the entries have been read before the kernel may overwrite them.
    if (count != 0) __atomic_store_n(head_, head + count, __ATOMIC_RELEASE);
    return count;
  }

 private:
  static_assert(kEventMore == IORING_CQE_F_MORE && kEventNotification == IORING_CQE_F_NOTIF &&
                kEventBuffer == IORING_CQE_F_BUFFER &&
                kEventBufferIdShift == IORING_CQE_BUFFER_SHIFT);

  const uint32_t mask_;
  const io_uring_cqe* const entries_;
  uint32_t* const head_;
  const uint32_t* const tail_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_COMPLETION_QUEUE_H_
