// RefuseCall: a seccomp filter with which one system call answers an errno, for tests of what the
// library does in kernels and sandboxes that lack it.
//
// A filter cannot be taken off: install it in a child process (seccomp(2)).
//
// Threading: holds for the calling thread and those that it starts.
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
  int argument = 0;    // which, 0 to 5
  uint32_t value = 0;  // compared with the lower half of the argument
  int error = 0;       // the errno that it answers
};

// False when the kernel takes no filter.
bool RefuseCall(const RefusedCall& call);

}  // namespace mooring

#endif  // MOORING_CPP_OS_TESTING_REFUSE_CALL_H_
