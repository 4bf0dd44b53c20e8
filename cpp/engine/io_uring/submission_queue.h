// SubmissionQueue: the queue that the kernel takes requests from, as shared memory. It turns
// Requests into entries, each written whole, all 64 bytes: a flag left from an entry's earlier use
// once made a read of one file return another's. It makes no system call: see submission_side.h.
//
// Entries sit at positions that only grow; position p is entry p modulo the capacity. [head, tail)
// are not yet taken.
//
// Threading: one thread at a time (the submission side); the kernel at once.
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

// What kernels do differently (features.h).
struct KernelQuirks {
  bool closes_file_slots = true;  // else closing one gives -EBADF
  bool drain_blocks_later_requests =
      true;  // what is submitted after a drain starts after it, unasked
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
  // IORING_SQ_*: what the kernel wants of us.
  uint32_t flags() const { return __atomic_load_n(flags_, __ATOMIC_ACQUIRE); }

  // Requests that must reach the kernel in one system call: a chain of links ends where the call
  // does.
  static uint32_t ChainLength(std::span<const Request> requests);
  // Whole chains, as many as there is room for; returns how many requests. Seen by the kernel after
  // Publish.
  size_t PushChains(std::span<const Request> requests);
  void Publish() { __atomic_store_n(kernel_tail_, tail_, __ATOMIC_RELEASE); }
  // Publish, where a kernel thread polls; true when it sleeps and must be woken. Sequential order
  // keeps the look at its flag behind our store: it sets the flag first and looks at the tail once
  // more before it sleeps.
  bool PublishToSqpollThread() {
    __atomic_store_n(kernel_tail_, tail_, __ATOMIC_SEQ_CST);
    return SqpollThreadSleeps();
  }
  bool SqpollThreadSleeps() const {
    return (__atomic_load_n(flags_, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP) != 0;
  }
  // Takes all that the kernel has not taken out of its sight, before it is failed and retracted.
  // False, and nothing changed, unless its thread sleeps.
  bool HideFromSqpollThread();

  const io_uring_sqe& At(uint32_t position) const { return entries_[position & mask_]; }
  // Takes back [position, tail), none of which the kernel has taken. Where a kernel thread polls,
  // only what is hidden from it.
  void Retract(uint32_t position);

 private:
  io_uring_sqe* Push(const Request& request);
  // Of a chain, or where drains are about.
  void PushInOrder(const Request& request);
  void OrderAfterDrain(io_uring_sqe* entry, const Request& request);
  void FillOther(io_uring_sqe* entry, const Request& request) const;

  const uint32_t mask_;
  const KernelQuirks quirks_;
  uint32_t tail_;
  bool has_seen_drain_ = false;
  bool next_needs_drain_ =
      false;  // the last request, or its chain, has a drain that the next must wait for
  bool chain_is_open_ =
      false;  // and that next one is of the same chain; of use with next_needs_drain_ only
  io_uring_sqe* const entries_;
  uint32_t* const head_;
  uint32_t* const kernel_tail_;
  uint32_t* const flags_;
  // One for each entry: the kernel copies it when it takes the entry (IORING_FEAT_SUBMIT_STABLE,
  // 5.5), hence before the entry is used again.
  const std::unique_ptr<__kernel_timespec[]> timeouts_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_SUBMISSION_QUEUE_H_
