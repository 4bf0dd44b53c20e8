// limited_child.h: a child process in which the memlock limit applies, with a memlock budget that
// is not shared.
//
//   const ChildResult child = RunWithoutExemption(
//       [](uint64_t others_bytes) { return SetSoftMemlock(others_bytes + (1 << 20)); });
//
// Threading: call from the test's thread. SetSoftMemlock changes the whole process.
#ifndef MOORING_TESTING_BUDGET_LIMITED_CHILD_H_
#define MOORING_TESTING_BUDGET_LIMITED_CHILD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "testing/support/child_process.h"

namespace mooring::conformance {

// Runs `body` in a child without CAP_IPC_LOCK, and with an unused user id where the process may
// take one. Where it may not, `others_bytes` is what the user has charged already, and the caller
// adds it to every limit. Otherwise it is 0.
ChildResult RunWithoutExemption(const std::function<std::string(uint64_t others_bytes)>& body);

// Returns "", or what failed. It raises the hard limit where that is lower, which needs
// CAP_SYS_RESOURCE.
std::string SetSoftMemlock(uint64_t bytes);

// The bytes that this process has charged, from Mooring's ledger.
uint64_t ChargedBytes();

// True when SetSoftMemlock can set this limit.
bool CanHaveMemlock(uint64_t bytes);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_BUDGET_LIMITED_CHILD_H_
