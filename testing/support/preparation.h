// preparation.h: the process that a configuration runs in.
//
// What a configuration takes away (a capability, memlock, system calls) cannot be given back, and
// libraries look at some of it once, at their start. So the test program prepares itself and then
// executes itself anew: the run that holds the tests has never known anything else.
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
  // No CAP_IPC_LOCK, a user id of its own where that can be had, and a soft RLIMIT_MEMLOCK of
  // `memlock_bytes` beyond what the user has charged already. The hard limit stays as it is, but
  // for `memlock_is_final`, which lowers it too.
  bool limits_memlock = false;
  bool memlock_is_final = false;
  uint64_t memlock_bytes = 0;
  // io_uring's system calls answer this errno; 0 = no filter.
  int io_uring_errno = 0;
  // io_uring_register(2) does not know these operations (IORING_REGISTER_*).
  std::vector<int> unknown_registrations = {};
  // Called first, in the process that runs the tests: what a filter cannot hide (kernel_mask.h).
  // May be null.
  void (*mask)() = nullptr;
};

// In the first run of the program, executes it anew and does not return; in the second, checks that
// all of it holds. Returns "" when the process is as asked, else what is missing for it.
std::string Prepare(const Preparation& preparation, char** argv);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PREPARATION_H_
