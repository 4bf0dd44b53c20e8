// Interrupts: ctrl-C, SIGTERM and SIGHUP as a flag that the work looks at, and the one temporary
// file that must not survive them.
//
// The first signal sets the flag: the work stops at its next look, removes what it made and says
// so. The second one does not wait for that: the handler itself removes the temporary file and
// exits. A signal that was ignored when the program started (nohup) stays ignored. SIGPIPE and
// SIGXFSZ are ignored for good, so that a reader who leaves and a file that grows too large are
// errors like any other (EPIPE, EFBIG), after which there is time to clean up.
//
// Lifecycle: InstallInterruptHandlers once, first thing in main.
// Threading: the flag is read by any thread; the temporary file is set and cleared by the main one.
#ifndef MOORING_TOOLS_MOOR_INTERRUPTS_H_
#define MOORING_TOOLS_MOOR_INTERRUPTS_H_

#include <cstdint>
#include <string>

namespace moor {

void InstallInterruptHandlers();

// Throws Failure("interrupted by SIGINT") once a signal has come.
void ThrowIfInterrupted();

// The longest that a wait may last between two looks at the flag.
inline constexpr int64_t kInterruptLookNanoseconds = 100'000'000;
inline constexpr int kInterruptLookMilliseconds = 100;

// While it lives, a second signal removes `name` from `directory_fd`. One at a time.
class TemporaryFileGuard {
 public:
  TemporaryFileGuard(int directory_fd, const std::string& name);
  ~TemporaryFileGuard();
  TemporaryFileGuard(const TemporaryFileGuard&) = delete;
  TemporaryFileGuard& operator=(const TemporaryFileGuard&) = delete;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_INTERRUPTS_H_
