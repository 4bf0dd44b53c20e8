// limited_child.h: a child of the test whose memlock limit is real and its own.
//
//   const ChildResult child = RunWithoutExemption(
//       [](uint64_t others_bytes) { return SetSoftMemlock(others_bytes + (1 << 20)); });
//
// Threading: call from the test's thread; SetSoftMemlock is for the whole process.
#ifndef MOORING_TESTING_BUDGET_LIMITED_CHILD_H_
#define MOORING_TESTING_BUDGET_LIMITED_CHILD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "testing/support/child_process.h"

namespace mooring::conformance {

// Runs `body` in a child without CAP_IPC_LOCK, with a user id of its own where that can be had.
// `others_bytes` is what the user has charged already where it cannot, and comes on top of every
// limit.
ChildResult RunWithoutExemption(const std::function<std::string(uint64_t others_bytes)>& body);

// "" or what went wrong. The hard limit is raised where it is lower, which takes CAP_SYS_RESOURCE.
std::string SetSoftMemlock(uint64_t bytes);

// What Mooring's ledger says that this process has charged.
uint64_t ChargedBytes();

// SetSoftMemlock can set this much.
bool CanHaveMemlock(uint64_t bytes);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_BUDGET_LIMITED_CHILD_H_
