// SideLock: admits one caller at a time to one side of a ring (submission or completion). A second
// caller gets an error instead of corrupting the ring. The library also enters for work of its own
// (to collect buffer tags, to close); a caller then waits, because it has made no mistake.
//
// Threading: any thread. To enter takes one atomic exchange.
#ifndef MOORING_CPP_RING_SIDE_LOCK_H_
#define MOORING_CPP_RING_SIDE_LOCK_H_

#include <sched.h>
#include <time.h>

#include <atomic>
#include <cstdint>

namespace mooring {

class SideLock {
 public:
  // False when another caller is inside.
  bool TryEnter() {
    for (uint32_t tries = 0;; ++tries) {
      uint32_t expected = kFree;
      // Acquire pairs with the release of Leave.
      if (state_.compare_exchange_strong(expected, kCaller, std::memory_order_acquire)) return true;
      if (expected == kCaller) return false;
      Pause(tries);
    }
  }
  // Enters for the library's own work. False when another thread is inside. seq_cst: see
  // LeaveSeqCst.
  bool TryEnterInternally() {
    uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kInternal, std::memory_order_seq_cst);
  }
  void Leave() { state_.store(kFree, std::memory_order_release); }
  // Leaves. A later seq_cst load then sees each seq_cst store that another thread made before it
  // failed to enter.
  void LeaveSeqCst() { state_.exchange(kFree, std::memory_order_seq_cst); }

 private:
  // The library's own work is short, except in Close, which may wait for operations to end.
  static void Pause(uint32_t tries) {
    if (tries < 100) {
      sched_yield();
      return;
    }
    const timespec pause{0, 100'000};
    nanosleep(&pause, nullptr);
  }

  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kCaller = 1;
  static constexpr uint32_t kInternal = 2;
  std::atomic<uint32_t> state_{kFree};
};

// Leaves at the end of a scope. The side must have been entered.
class SideGuard {
 public:
  explicit SideGuard(SideLock& lock) : lock_(lock) {}
  ~SideGuard() { lock_.Leave(); }
  SideGuard(const SideGuard&) = delete;
  SideGuard& operator=(const SideGuard&) = delete;

 private:
  SideLock& lock_;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_SIDE_LOCK_H_
