// Interrupts: SIGINT (ctrl-C), SIGTERM and SIGHUP set a flag that the transfer checks. A second
// signal deletes the temporary file.
//
// After the first signal, the transfer stops at its next check, deletes its temporary file and
// prints a message. At the second signal, the handler itself deletes the temporary file and exits.
// A signal that was ignored when the program started (nohup) stays ignored. SIGPIPE and SIGXFSZ are
// always ignored, so that a closed reader and a file that is too large are returned as errors
// (EPIPE, EFBIG) and the program can clean up.
//
// Lifecycle: call InstallInterruptHandlers once, at the start of main.
// Threading: any thread may check the flag; only the main thread creates and destroys the guard.
#ifndef MOORING_TOOLS_MOOR_INTERRUPTS_H_
#define MOORING_TOOLS_MOOR_INTERRUPTS_H_

#include <cstdint>
#include <string>

namespace moor {

void InstallInterruptHandlers();

// Throws Failure("interrupted by SIGINT") if a signal has arrived.
void ThrowIfInterrupted();

// The maximum time of one wait between two checks of the flag.
inline constexpr int64_t kInterruptCheckNanoseconds = 100'000'000;
inline constexpr int kInterruptCheckMilliseconds = 100;

// While it exists, a second signal deletes `name` in `directory_fd`. Only one may exist at a time.
class TemporaryFileGuard {
 public:
  TemporaryFileGuard(int directory_fd, const std::string& name);
  ~TemporaryFileGuard();
  TemporaryFileGuard(const TemporaryFileGuard&) = delete;
  TemporaryFileGuard& operator=(const TemporaryFileGuard&) = delete;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_INTERRUPTS_H_
