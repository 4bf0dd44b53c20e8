// RingStats: the counters of a ring. Only one side writes each counter, so an increment is a plain
// load and store. Readers on other threads see a recent value.
//
// Threading: Counter::value on any thread.
#ifndef MOORING_CPP_RING_RING_STATS_H_
#define MOORING_CPP_RING_RING_STATS_H_

#include <atomic>
#include <cstdint>

namespace mooring {

class Counter {
 public:
  void Add(uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct RingCounters {
  alignas(64) Counter submitted;  // submission side
  // Completion side, from here on. `finished` counts operations whose last event has arrived,
  // `completed` those whose final completion the caller has.
  alignas(64) Counter finished;
  Counter completed;
  Counter failed;
  Counter cancelled;
  Counter read;
  Counter read_fixed;
  Counter write;
  Counter write_fixed;
  Counter read_bytes;
  Counter write_bytes;
  Counter short_count;
  Counter send;
  Counter recv;
  Counter send_bytes;
  Counter recv_bytes;
  Counter send_zero_copy;
  Counter send_copied;
  Counter multishot_completed;
  alignas(64) Counter multishot_requests;  // submission side
};

// A snapshot, in the order of mooring_ring_stats_t.
struct RingStats {
  uint64_t submitted = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t read = 0;
  uint64_t read_fixed = 0;
  uint64_t write = 0;
  uint64_t write_fixed = 0;
  uint64_t read_bytes = 0;
  uint64_t write_bytes = 0;
  uint64_t short_count = 0;
  uint64_t in_flight = 0;
  uint64_t system_calls = 0;
  uint64_t overflow_count = 0;
  uint64_t send = 0;
  uint64_t recv = 0;
  uint64_t send_bytes = 0;
  uint64_t recv_bytes = 0;
  uint64_t send_zero_copy = 0;
  uint64_t send_copied = 0;
  uint64_t multishot_completed = 0;
  uint64_t multishot_requests = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_STATS_H_
