// The report of a registration: how much of a slab could be pinned, why not more, and the remedy.
#ifndef MOORING_CPP_REGISTRATION_REPORT_H_
#define MOORING_CPP_REGISTRATION_REPORT_H_

#include <cerrno>
#include <cstdint>
#include <string>

#include "cpp/base/status.h"
#include "cpp/os/memlock.h"

namespace mooring {

// Same numbers as mooring_policy_t, mooring_outcome_t and mooring_reason_t.
enum class Policy : uint32_t { kPrefer = 0, kRequire = 1, kNever = 2 };
enum class Outcome : uint32_t { kFixed = 0, kPartial = 1, kCopy = 2 };
enum class Reason : uint32_t {
  kNone = 0,
  kPolicy = 1,
  kMemlockLimit = 2,
  kOutOfMemory = 3,
  kBackingRefused = 4,
  kTableFull = 5,
  kKernelTooOld = 6,
  kRegisterDenied = 7,
  kEngineThreads = 8,
  kOwnerThread = 9,
};

// The table refused the change for now: the ring was not quiet (KernelTable::TryBegin).
inline bool IsRefusedForNow(Reason reason, int32_t system_error) {
  return reason == Reason::kKernelTooOld && system_error == EBUSY;
}

struct RegistrationReport {
  Policy policy = Policy::kPrefer;
  Outcome outcome = Outcome::kFixed;
  Reason reason = Reason::kNone;
  int32_t system_error = 0;
  uint32_t extent_count = 0;
  uint64_t bytes_requested = 0;
  uint64_t bytes_fixed = 0;
  uint64_t bytes_cloned = 0;  // of bytes_fixed
  MemlockLimits memlock;
  uint64_t memlock_used_bytes = 0;
  bool memlock_exempt = false;
  std::string message;
  std::string remedy;
};

// Fills message and remedy from the other fields. `table_slots` is the size of the ring's
// fixed-buffer table, and `table_slots_max` the largest size possible. `engine_remedy` is the
// remedy that the ring itself reported when its engine is not io_uring.
void Explain(RegistrationReport& report, uint32_t table_slots, uint32_t table_slots_max,
             const std::string& engine_remedy);

// The error of Policy::kRequire for a report that is not kFixed. Message and remedy are the same.
Status RequireFailed(const RegistrationReport& report);

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REPORT_H_
