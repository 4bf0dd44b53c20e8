// SideLock: sees to it that one side of a ring (submission or completion) has one caller at a time.
// A second caller is told so instead of corrupting the ring. Mooring's own short visits (to bring
// in buffer tags, to close) make a caller wait instead, for he has done nothing wrong.
//
// Threading: any thread; one atomic exchange to enter.
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
      // Acquire pairs with Leave's release: what the last caller wrote is seen.
      if (state_.compare_exchange_strong(expected, kCaller, std::memory_order_acquire)) return true;
      if (expected == kCaller) return false;
      Pause(tries);
    }
  }
  // A visit: false when anybody is inside. seq_cst: see LeaveSeqCst.
  bool TryEnterInternally() {
    uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kInternal, std::memory_order_seq_cst);
  }
  void Leave() { state_.store(kFree, std::memory_order_release); }
  // Leaves, and sees (by seq_cst loads) what others have written (by seq_cst stores) before they
  // found this side taken.
  void LeaveSeqCst() { state_.exchange(kFree, std::memory_order_seq_cst); }

 private:
  // A visit is over at once, but for the one of Close, which may wait for operations to end.
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

// Leaves at the end of a scope what was entered before.
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
