// MultishotTable: what a ring knows of its ACCEPT_MULTISHOT and RECV_MULTISHOT operations beyond
// their records, in storage made once, and the queue by which the completion side hands those back
// that need another request.
//
// An operation has one request out at a time. Where the engine repeats it, that one gives many
// completions; else each completion takes a request of its own. When it ends short of the
// operation's end, the operation is idle until the submission side gives it the next, or waits for
// a buffer to put the next bytes in.
//
// Threading: Hand is the completion side's, Pop and ClearResumeRequest the submission side's,
// RequestResume anybody's. An entry belongs to the completion side while its request is out, and to
// the submission side after Hand. Only is_cancelled, which the submission side writes at any time,
// and the atomics are for both.
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
  std::atomic<bool> is_cancelled{false};  // it shall end as soon as it can
  std::atomic<bool> is_queued{false};     // it is in the queue
  bool is_engine_multishot = false;       // the engine repeats it
  bool has_delivered = false;             // a completion at least
  uint16_t flags = 0;                     // of its requests
  int32_t fd = -1;
  uint32_t parameter = 0;
  int32_t final_result =
      0;        // not 0: the request that is out does nothing, and this is the last result
  Lease lease;  // that the request that is out fills; generation 0: none
};

class MultishotTable {
 public:
  explicit MultishotTable(uint32_t capacity)
      : mask_(RoundUpToPowerOfTwo(capacity) - 1),
        entries_(new Multishot[capacity]),
        queue_(new uint32_t[mask_ + 1]) {}

  Multishot& operator[](uint32_t index) { return entries_[index]; }

  // The submission side shall look at this operation.
  void Enqueue(uint32_t index) {
    // Once at a time, so that the queue never overflows.
    if (entries_[index].is_queued.exchange(true, std::memory_order_acq_rel)) return;
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    queue_[tail & mask_] = index;
    tail_.store(tail + 1, std::memory_order_release);
    RequestResume();
  }
  bool Pop(uint32_t* out_index) {
    if (head_ == tail_.load(std::memory_order_acquire)) return false;
    *out_index = queue_[head_++ & mask_];
    // Before the entry is looked at: what changes later is handed again.
    entries_[*out_index].is_queued.exchange(false, std::memory_order_acq_rel);
    return true;
  }

  // Operations in flight. While there are any, a reaper looks at each event before it waits for the
  // next: some come only once another request is out.
  bool any() const { return live_.load(std::memory_order_relaxed) != 0; }
  // True for the first: a reaper that waits does not know yet.
  bool Begin() { return live_.fetch_add(1, std::memory_order_relaxed) == 0; }
  void End() { live_.fetch_sub(1, std::memory_order_relaxed); }

  // There is something for the submission side to do. seq_cst: whoever then finds that side taken
  // may rely on it to look again after it has left (Ring::LeaveSubmission).
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
