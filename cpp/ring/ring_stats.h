// RingStats: the counters of a ring.
//
// One side of the ring writes each counter, so counting is a plain load and a plain store. Readers
// on other threads get a recent value of each.
//
// Threading: RingCounters::Read, any thread; Add, the side that the counter belongs to.
#ifndef MOORING_CPP_RING_RING_STATS_H_
#define MOORING_CPP_RING_RING_STATS_H_

#include <atomic>
#include <cstdint>

namespace mooring {

// Every counter of mooring_ring_stats_t (c_api/include/mooring/ring.h), once, in its order there.
// SUBMISSION and COMPLETION are the side that writes the counter. Ring::Stats computes the
// CALCULATED ones.
#define MOORING_RING_STATS(SUBMISSION, COMPLETION, CALCULATED) \
  SUBMISSION(submitted)                                        \
  COMPLETION(completed)                                        \
  COMPLETION(failed)                                           \
  COMPLETION(cancelled)                                        \
  COMPLETION(read)                                             \
  COMPLETION(read_fixed)                                       \
  COMPLETION(write)                                            \
  COMPLETION(write_fixed)                                      \
  COMPLETION(read_bytes)                                       \
  COMPLETION(write_bytes)                                      \
  COMPLETION(short_count)                                      \
  CALCULATED(in_flight)                                        \
  CALCULATED(system_calls)                                     \
  CALCULATED(overflow_count)                                   \
  COMPLETION(send)                                             \
  COMPLETION(recv)                                             \
  COMPLETION(send_bytes)                                       \
  COMPLETION(recv_bytes)                                       \
  COMPLETION(send_zero_copy)                                   \
  COMPLETION(send_copied)                                      \
  COMPLETION(multishot_completed)                              \
  SUBMISSION(multishot_requests)

// A snapshot.
struct RingStats {
#define MOORING_FIELD(name) uint64_t name = 0;
  MOORING_RING_STATS(MOORING_FIELD, MOORING_FIELD, MOORING_FIELD)
#undef MOORING_FIELD
};

class Counter {
 public:
  void Add(uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

#define MOORING_COUNTER(name) Counter name;
#define MOORING_NO_COUNTER(name)

// The two sides write to different cache lines.
struct alignas(64) SubmissionCounters {
  MOORING_RING_STATS(MOORING_COUNTER, MOORING_NO_COUNTER, MOORING_NO_COUNTER)
};
struct alignas(64) CompletionCounters {
  Counter finished;  // operations that have ended, whether reap has returned them or not
  MOORING_RING_STATS(MOORING_NO_COUNTER, MOORING_COUNTER, MOORING_NO_COUNTER)
};

#undef MOORING_COUNTER
#undef MOORING_NO_COUNTER

struct RingCounters : SubmissionCounters, CompletionCounters {
  // Every counter, and in_flight. The caller sets the other CALCULATED ones.
  RingStats Read() const {
    RingStats stats;
    // `finished` is read before `submitted`. In the other order, an operation that is submitted and
    // ends between the two reads would make in_flight negative.
    const uint64_t finished_first = finished.value();
#define MOORING_READ(name) stats.name = name.value();
#define MOORING_SKIP(name)
    MOORING_RING_STATS(MOORING_READ, MOORING_READ, MOORING_SKIP)
#undef MOORING_READ
#undef MOORING_SKIP
    stats.in_flight = stats.submitted - finished_first;
    return stats;
  }
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_STATS_H_
