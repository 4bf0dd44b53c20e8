// MultishotTable: the state of ACCEPT_MULTISHOT and RECV_MULTISHOT operations beyond their records,
// in storage allocated once, and the queue of operations that need their next request.
//
// An operation has at most one request in flight. If the engine supports multishot requests, one
// request has many completions; otherwise each completion needs a request. When a request ends
// before the operation does, the operation is idle until the submission side starts its next
// request, or waits until a buffer for the next bytes is free.
//
// Threading: Enqueue is called on the completion side, Pop and ClearResumeRequest on the submission
// side, RequestResume on any thread. An entry belongs to the completion side while its request is
// in flight, and to the submission side after Enqueue. Both sides use the atomics; only the
// submission side writes is_cancelled, at any time.
#ifndef MOORING_CPP_RING_MULTISHOT_TABLE_H_
#define MOORING_CPP_RING_MULTISHOT_TABLE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cpp/base/checked.h"
#include "cpp/slabs/slab.h"

namespace mooring {

struct Multishot {
  enum class State : uint8_t { kDone, kRequestInFlight, kIdle, kWaiting };

  std::atomic<State> state{State::kDone};
  std::atomic<bool> is_cancelled{false};  // it must end as soon as possible
  std::atomic<bool> is_queued{false};     // it is in the queue
  bool is_engine_multishot = false;       // its requests are multishot requests of the engine
  bool has_delivered = false;             // it has had a completion
  uint16_t flags = 0;                     // of its requests
  int32_t fd = -1;
  uint32_t parameter = 0;
  // If not 0, the request in flight is a nop that ends the operation with this result.
  int32_t final_result = 0;
  Lease lease;  // filled by the request in flight; none if its generation is 0
};

class MultishotTable {
 public:
  explicit MultishotTable(uint32_t capacity)
      : mask_(RoundUpToPowerOfTwo(capacity) - 1),
        entries_(new Multishot[capacity]),
        queue_(new uint32_t[mask_ + 1]) {}

  Multishot& operator[](uint32_t index) { return entries_[index]; }

  // Queues this operation for the submission side.
  void Enqueue(uint32_t index) {
    // An operation is in the queue once at most, so the queue never overflows.
    if (entries_[index].is_queued.exchange(true, std::memory_order_acq_rel)) return;
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    queue_[tail & mask_] = index;
    tail_.store(tail + 1, std::memory_order_release);
    RequestResume();
  }
  bool Pop(uint32_t* out_index) {
    if (head_ == tail_.load(std::memory_order_acquire)) return false;
    *out_index = queue_[head_++ & mask_];
    // Cleared before the caller reads the entry, so that a later change queues it again.
    entries_[*out_index].is_queued.exchange(false, std::memory_order_acq_rel);
    return true;
  }

  // Whether any operation is in flight. If so, a reaper examines each event before it waits for the
  // next one: that may arrive only after another request.
  bool any() const { return live_.load(std::memory_order_relaxed) != 0; }
  // True for the first operation: a reaper that is waiting has to be woken.
  bool Begin() { return live_.fetch_add(1, std::memory_order_relaxed) == 0; }
  void End() { live_.fetch_sub(1, std::memory_order_relaxed); }

  // Requests work on the submission side. seq_cst: if the caller then finds that side busy, the
  // thread inside will see the request when it leaves (Ring::LeaveSubmission).
  void RequestResume() { resume_requested_.store(true, std::memory_order_seq_cst); }
  bool resume_requested() const { return resume_requested_.load(std::memory_order_seq_cst); }
  void ClearResumeRequest() { resume_requested_.store(false, std::memory_order_seq_cst); }

 private:
  const uint32_t mask_;
  const std::unique_ptr<Multishot[]> entries_;
  const std::unique_ptr<uint32_t[]> queue_;
  uint32_t head_ = 0;  // submission side
  std::atomic<uint32_t> tail_{0};
  std::atomic<bool> resume_requested_{false};
  std::atomic<uint32_t> live_{0};
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_MULTISHOT_TABLE_H_
