// MemlockLedger: what this process's rings and extents have charged to RLIMIT_MEMLOCK, as far as
// Mooring knows.
//
// The budget itself is per user, shared with other processes, and cannot be read (the kernel
// exports no user_struct->locked_vm). So this is a lower bound of what is used, for reports and for
// a first guess at what is left. It also remembers when budget was last given back, because the
// kernel returns it late: 7 to 50 ms after a ring is closed (measured, 5.10 to 6.18), a second
// after a slot is cleared on kernels up to 6.3.
//
// It lives beside the limit it is compared with, below both the ring and the registration, which
// both charge it.
//
// Threading: any thread; counters are atomics and a reader may see one charge before another.
#ifndef MOORING_CPP_OS_MEMLOCK_LEDGER_H_
#define MOORING_CPP_OS_MEMLOCK_LEDGER_H_

#include <cstdint>

#include "cpp/base/deadline.h"

namespace mooring {

class MemlockLedger {
 public:
  static void Charge(uint64_t bytes);
  static void Release(uint64_t bytes);
  // Bytes charged by this process; a forked child starts at 0, for it holds none of its parent's
  // pins.
  static uint64_t used_bytes();
  // What `soft_bytes` of RLIMIT_MEMLOCK leave, if no other process of this user holds any.
  static uint64_t RoomUnder(uint64_t soft_bytes) {
    const uint64_t used = used_bytes();
    return soft_bytes > used ? soft_bytes - used : 0;
  }
  // How often this process, or one it was forked from, gave budget back.
  static uint64_t return_count();
  // True while budget that this process, or one it was forked from, gave back may still be on its
  // way: for kReturnLatencyNs.
  static bool ReturnIsPending();

  // Up to 6.3 a cleared slot's budget comes back a second late, counted from the end of an RCU
  // grace period (1.0 to 1.2 s measured on 5.10 and 6.1).
  static constexpr int64_t kReturnLatencyNs = 1'500'000'000;
};

// Pauses between tries of something that failed for want of memlock, as long as it may help: only
// while the ledger expects budget back, longer each time, and no longer than that takes in all.
// (The milliseconds that later kernels take for a closed ring were seen to become 0.3 s on a loaded
// machine.)
//
//   MemlockBackoff backoff;
//   while (failed_with_enomem(Try()) && backoff.Wait()) {}
class MemlockBackoff {
 public:
  // Sleeps and returns true, or returns false at once when another try is pointless.
  bool Wait();

 private:
  Deadline deadline_ = Deadline::After(MemlockLedger::kReturnLatencyNs);
  int64_t pause_ns_ = 500'000;
};

}  // namespace mooring

#endif  // MOORING_CPP_OS_MEMLOCK_LEDGER_H_
