// RefuseCall: a seccomp filter that makes one system call fail with an errno, for tests of kernels
// and sandboxes without that call.
//
// A filter cannot be removed: install it in a child process (seccomp(2)).
//
// Threading: applies to the calling thread and to threads that it starts afterwards.
//
//   if (!RefuseCall({.number = SYS_mbind, .error = EPERM})) return "cannot install a filter";
#ifndef MOORING_CPP_OS_TESTING_REFUSE_CALL_H_
#define MOORING_CPP_OS_TESTING_REFUSE_CALL_H_

#include <cstdint>

namespace mooring {

struct RefusedCall {
  enum class When { kAlways, kArgumentIs, kArgumentIsNot };

  long number = 0;  // SYS_*
  When when = When::kAlways;
  int argument = 0;    // index, 0 to 5
  uint32_t value = 0;  // compared with the lower half of the argument
  int error = 0;       // the errno that the call returns
};

// False if the kernel does not accept the filter.
bool RefuseCall(const RefusedCall& call);

}  // namespace mooring

#endif  // MOORING_CPP_OS_TESTING_REFUSE_CALL_H_
