// fault_plan.h: which call must fail, and how; every wrapped call asks it.
//
// One plan is active at a time. Only calls of Mooring count: those that a thread makes while it is
// armed, and all calls of threads that an armed thread has started. Calls of the test itself are
// never changed.
//
//   BeginPlan({.kind = CallKind::kMmap, .number = 3, .fault = ENOMEM});
//   { const Armed armed; error = mooring_slab_create(&options, &slab); }
//   const bool fired = EndPlan().fired;
//
// Threading: one thread begins and ends plans; any thread calls FaultFor.
#ifndef MOORING_TESTING_FAULTS_FAULT_PLAN_H_
#define MOORING_TESTING_FAULTS_FAULT_PLAN_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "testing/faults/call_kind.h"

namespace mooring::faults {

struct FaultPlan {
  CallKind kind = CallKind::kMmap;
  uint64_t number = 0;   // of the call among its kind, from 1; 0 = no fault, calls are counted
  int fault = 0;         // an errno, kShort or kLate
  bool lasting = false;  // that call and all later ones fail

  std::string ToString() const;
};

void BeginPlan(const FaultPlan& plan);

struct PlanResult {
  bool fired = false;
  uint64_t call_counts[kCallKindCount] = {};  // by kind
};
PlanResult EndPlan();

// Whether the active plan has injected a fault so far.
bool HasFired();

// Makes the calling thread's calls count.
class Armed {
 public:
  Armed();
  ~Armed();
  Armed(const Armed&) = delete;
};

// The functions below are for wrapped calls.

bool IsArmed();
void ArmThisThread();

// Returns 0: make the call; an errno: fail with it; kShort: transfer half. For kLate it sleeps and
// returns 0. `size` is the number of bytes requested: kShort needs at least two.
int FaultFor(CallKind kind, uint64_t size = 0);

// Makes `call`, or returns -1 and sets errno.
template <typename Call>
auto CallUnlessFault(CallKind kind, Call call) -> decltype(call()) {
  if (const int error = FaultFor(kind); error > 0) {
    errno = error;
    return -1;
  }
  return call();
}

// As Through, for what moves bytes: `call` is given how many.
template <typename Call>
auto TransferUnlessFault(CallKind kind, size_t size, Call call) -> decltype(call(size)) {
  const int fault = FaultFor(kind, size);
  if (fault > 0) {
    errno = fault;
    return -1;
  }
  return call(fault == kShort ? size / 2 : size);
}

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_FAULT_PLAN_H_
