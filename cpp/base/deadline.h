// Deadline: a point in time on CLOCK_MONOTONIC. A wait that is interrupted and resumed keeps its
// deadline and does not become longer.
#ifndef MOORING_CPP_BASE_DEADLINE_H_
#define MOORING_CPP_BASE_DEADLINE_H_

#include <time.h>

#include <cstdint>

namespace mooring {

// Nanoseconds on CLOCK_MONOTONIC.
inline int64_t MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class Deadline {
 public:
  // `timeout_ns` from now. A sum above INT64_MAX (292 years) becomes INT64_MAX: never.
  static Deadline After(int64_t timeout_ns) {
    Deadline deadline;
    if (timeout_ns <= 0) return deadline;  // already passed; this and "never" read no clock
    const int64_t now = timeout_ns == INT64_MAX ? INT64_MAX : MonotonicNow();
    deadline.at_ns_ = timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
    return deadline;
  }
  static Deadline Earlier(const Deadline& a, const Deadline& b) {
    return a.at_ns_ < b.at_ns_ ? a : b;
  }
  bool Passed() const { return at_ns_ == 0 || (at_ns_ != INT64_MAX && MonotonicNow() >= at_ns_); }
  bool IsNever() const { return at_ns_ == INT64_MAX; }
  // At least 0; INT64_MAX for a deadline that never passes.
  int64_t RemainingNs() const {
    if (at_ns_ == 0) return 0;
    if (IsNever()) return INT64_MAX;
    const int64_t left = at_ns_ - MonotonicNow();
    return left > 0 ? left : 0;
  }
  timespec Remaining() const {
    const int64_t left = RemainingNs();
    return timespec{static_cast<time_t>(left / 1'000'000'000),
                    static_cast<long>(left % 1'000'000'000)};
  }

 private:
  int64_t at_ns_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_BASE_DEADLINE_H_
