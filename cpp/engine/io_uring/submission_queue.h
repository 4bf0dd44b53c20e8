// SubmissionQueue: the queue that the kernel reads requests from, in shared memory. It converts
// Requests to entries. It writes all 64 bytes of an entry: a flag from an earlier use of the entry
// once made a read of one file return the bytes of another. It makes no system call: see
// submission_side.h.
//
// Positions only grow; position p is entry p modulo the capacity. The kernel has not consumed
// [head, tail).
//
// Threading: one thread at a time (the submission side), in parallel with the kernel.
//
//   const size_t pushed = queue.PushChains(requests);
//   queue.Publish();
#ifndef MOORING_CPP_ENGINE_IO_URING_SUBMISSION_QUEUE_H_
#define MOORING_CPP_ENGINE_IO_URING_SUBMISSION_QUEUE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/request.h"

namespace mooring {

// Differences between kernels (features.h).
struct KernelQuirks {
  bool closes_file_slots = true;  // false: closing one fails with -EBADF
  // A drain delays all requests that are submitted after it, without a flag on them.
  bool drain_blocks_later_requests = true;
};

class SubmissionQueue {
 public:
  // `uring` outlives the queue.
  SubmissionQueue(const Uring& uring, KernelQuirks quirks);

  uint32_t capacity() const { return mask_ + 1; }
  bool has_seen_drain() const { return has_seen_drain_; }
  uint32_t head() const { return __atomic_load_n(head_, __ATOMIC_ACQUIRE); }
  uint32_t tail() const { return tail_; }
  uint32_t Pending() const { return tail_ - head(); }
  uint32_t Room() const { return capacity() - Pending(); }
  // IORING_SQ_*: the kernel's requests to the application.
  uint32_t flags() const { return __atomic_load_n(flags_, __ATOMIC_ACQUIRE); }

  // The number of requests at the start that one system call must submit: the end of a call ends a
  // chain.
  static uint32_t ChainLength(std::span<const Request> requests);
  // Pushes as many complete chains as there is room for; returns the number of requests. The kernel
  // sees them after Publish.
  size_t PushChains(std::span<const Request> requests);
  void Publish() { __atomic_store_n(kernel_tail_, tail_, __ATOMIC_RELEASE); }
  // Publish with an SQPOLL thread; true when that thread sleeps and must be woken. The thread sets
  // its flag and then reads the tail once more before it sleeps. Sequential order keeps our store
  // of the tail before our load of the flag.
  bool PublishToSqpollThread() {
    __atomic_store_n(kernel_tail_, tail_, __ATOMIC_SEQ_CST);
    return SqpollThreadSleeps();
  }
  bool SqpollThreadSleeps() const {
    return (__atomic_load_n(flags_, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP) != 0;
  }
  // Moves the kernel's tail back to its head, so that the entries that it has not consumed can be
  // failed and retracted. False, with nothing changed, unless the SQPOLL thread sleeps.
  bool HideFromSqpollThread();

  const io_uring_sqe& At(uint32_t position) const { return entries_[position & mask_]; }
  // Removes [position, tail), which the kernel has not consumed. With SQPOLL, only after
  // HideFromSqpollThread.
  void Retract(uint32_t position);

 private:
  io_uring_sqe* Push(const Request& request);
  // For requests of a chain, drains, and requests after a drain.
  void PushInOrder(const Request& request);
  void OrderAfterDrain(io_uring_sqe* entry, const Request& request);
  void FillOther(io_uring_sqe* entry, const Request& request) const;

  const uint32_t mask_;
  const KernelQuirks quirks_;
  uint32_t tail_;
  bool has_seen_drain_ = false;
  // The last request, or its chain, has a drain that the next request must wait for.
  bool next_needs_drain_ = false;
  bool chain_is_open_ = false;  // the next request is of the same chain; see next_needs_drain_
  io_uring_sqe* const entries_;
  uint32_t* const head_;
  uint32_t* const kernel_tail_;
  uint32_t* const flags_;
  // One for each entry. The kernel copies it when it consumes the entry (IORING_FEAT_SUBMIT_STABLE,
  // 5.5), so before the entry is used again.
  const std::unique_ptr<__kernel_timespec[]> timeouts_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_SUBMISSION_QUEUE_H_
