// preparation.h: prepares the process that a configuration runs in.
//
// A process cannot regain what a configuration takes away (a capability, memlock, system calls),
// and libraries check some of it once, when they start. So the test program prepares itself and
// then executes itself again: the tests run in a process that never had more.
//
//   const std::string missing = Prepare({.limits_memlock = true, .memlock_bytes = 1 << 20}, argv);
//   // may not return
//
// Threading: from main, before any thread.
#ifndef MOORING_TESTING_SUPPORT_PREPARATION_H_
#define MOORING_TESTING_SUPPORT_PREPARATION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace mooring::conformance {

struct Preparation {
  // No CAP_IPC_LOCK, an unused user id where the process may take one, and a soft RLIMIT_MEMLOCK of
  // `memlock_bytes` more than the user has charged already. `memlock_is_final` lowers the hard
  // limit too; otherwise it does not change.
  bool limits_memlock = false;
  bool memlock_is_final = false;
  uint64_t memlock_bytes = 0;
  // The errno of io_uring's system calls; 0 = no filter.
  int io_uring_errno = 0;
  // The operations (IORING_REGISTER_*) that io_uring_register(2) does not have.
  std::vector<int> unknown_registrations = {};
  // Called first, in the process that runs the tests, to hide what a filter cannot (kernel_mask.h).
  // May be null.
  void (*mask)() = nullptr;
};

// In the first run of the program, executes it again and does not return. In the second, checks
// that all of it applies. Returns "" when the process is as requested, else the feature that is
// missing.
std::string Prepare(const Preparation& preparation, char** argv);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PREPARATION_H_
