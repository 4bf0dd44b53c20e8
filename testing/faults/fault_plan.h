// fault_plan.h: which call is to fail, and how; asked by every wrapped call.
//
// One plan is in force at a time. Only calls of Mooring count: those that a thread makes while it
// is armed, and those of threads that an armed thread has started, for as long as they live. What
// the test does itself passes untouched.
//
//   BeginPlan({.kind = CallKind::kMmap, .number = 3, .fault = ENOMEM});
//   { const Armed armed; error = mooring_slab_create(&options, &slab); }
//   const bool fired = EndPlan().fired;
//
// Threading: one thread begins and ends plans; any thread asks.
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
  uint64_t number = 0;   // of the call of this kind, from 1 on; 0 = no fault, only counting
  int fault = 0;         // an errno, kShort or kLate
  bool lasting = false;  // all calls from that one on, not it alone

  std::string ToString() const;
};

void BeginPlan(const FaultPlan& plan);

struct PlanResult {
  bool fired = false;
  uint64_t call_counts[kCallKindCount] = {};  // by kind
};
PlanResult EndPlan();

// Whether the plan in force has struck so far, and what it strikes with.
bool HasFired();

// Makes the calling thread's calls count.
class Armed {
 public:
  Armed();
  ~Armed();
  Armed(const Armed&) = delete;
};

// The rest is for wrapped calls.

bool IsArmed();
void ArmThisThreadForGood();

// 0: go on. An errno: fail with it. kShort: move half. kLate has passed by then. `size` is what the
// call is to move: one of fewer than two bytes cannot be short.
int Ask(CallKind kind, uint64_t size = 0);

// Goes on with `call`, or answers -1 and sets errno.
template <typename Call>
auto Through(CallKind kind, Call call) -> decltype(call()) {
  if (const int error = Ask(kind); error > 0) {
    errno = error;
    return -1;
  }
  return call();
}

// As Through, for what moves bytes: `call` is given how many.
template <typename Call>
auto Moving(CallKind kind, size_t size, Call call) -> decltype(call(size)) {
  const int fault = Ask(kind, size);
  if (fault > 0) {
    errno = fault;
    return -1;
  }
  return call(fault == kShort ? size / 2 : size);
}

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_FAULT_PLAN_H_
