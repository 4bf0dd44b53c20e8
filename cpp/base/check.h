// CHECK: ends the process with a message when an invariant of Mooring's own code does not hold. It
// is not for kernel results or user input: those are a Status. DCHECK is CHECK in debug builds
// only, for the data path.
#ifndef MOORING_CPP_BASE_CHECK_H_
#define MOORING_CPP_BASE_CHECK_H_

namespace mooring {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace mooring

#define CHECK(condition)                        \
  (__builtin_expect(!!(condition), 1) ? (void)0 \
                                      : ::mooring::CheckFailed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define DCHECK(condition) ((void)sizeof(!!(condition)))
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // MOORING_CPP_BASE_CHECK_H_
