// MemlockLedger: the sum that the rings and extents of this process have charged to RLIMIT_MEMLOCK,
// as far as Mooring knows.
//
// The budget itself is per user, shared with other processes, and cannot be read (the kernel does
// not export user_struct->locked_vm). So the ledger is a lower bound of the used budget, for
// reports and for a first estimate of the rest. It also records when budget was last released,
// because the kernel returns it late: 7 to 50 ms after a ring is closed (measured, 5.10 to 6.18), a
// second after a slot is cleared on kernels up to 6.3.
//
// It is in this folder, with the limit, because both the ring and the registration charge it.
//
// Threading: any thread; counters are atomics, and a reader may see charges in any order.
#ifndef MOORING_CPP_OS_MEMLOCK_LEDGER_H_
#define MOORING_CPP_OS_MEMLOCK_LEDGER_H_

#include <cstdint>

#include "cpp/base/deadline.h"

namespace mooring {

class MemlockLedger {
 public:
  static void Charge(uint64_t bytes);
  static void Release(uint64_t bytes);
  // Bytes charged by this process. A forked child starts at 0, because it has none of its parent's
  // pins.
  static uint64_t used_bytes();
  // The rest of a limit of `soft_bytes`, if no other process of this user has pinned memory.
  static uint64_t RoomUnder(uint64_t soft_bytes) {
    const uint64_t used = used_bytes();
    return soft_bytes > used ? soft_bytes - used : 0;
  }
  // The number of releases by this process and its ancestors.
  static uint64_t return_count();
  // True for kReturnLatencyNs after a release by this process or an ancestor, while the kernel may
  // not have returned the budget yet.
  static bool ReturnIsPending();

  // Up to 6.3 the kernel returns the budget of a cleared slot one second after the end of an RCU
  // grace period (1.0 to 1.2 s measured on 5.10 and 6.1).
  static constexpr int64_t kReturnLatencyNs = 1'500'000'000;
};

// MemlockBackoff: pauses between tries of a call that failed because of RLIMIT_MEMLOCK. It pauses
// only while the ledger expects the kernel to return budget; each pause is longer, and all together
// take at most kReturnLatencyNs. (On a loaded machine, the milliseconds that later kernels need for
// a closed ring became 0.3 s.)
//
//   MemlockBackoff backoff;
//   while (failed_with_enomem(Try()) && backoff.Wait()) {}
class MemlockBackoff {
 public:
  // Sleeps and returns true; or returns false without a sleep when another try cannot succeed.
  bool Wait();

 private:
  Deadline deadline_ = Deadline::After(MemlockLedger::kReturnLatencyNs);
  int64_t pause_ns_ = 500'000;
};

}  // namespace mooring

#endif  // MOORING_CPP_OS_MEMLOCK_LEDGER_H_
