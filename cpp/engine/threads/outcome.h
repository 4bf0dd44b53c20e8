// Outcome: the result of one attempt to execute a request on a worker, and helpers that all system
// calls of workers share.
//
// Threading: workers only.
#ifndef MOORING_CPP_ENGINE_THREADS_OUTCOME_H_
#define MOORING_CPP_ENGINE_THREADS_OUTCOME_H_

#include <poll.h>
#include <pthread.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>

namespace mooring {

struct Outcome {
  enum class Step : uint8_t {
    kDone,                // `result` is the result of the event
    kNotReady,            // try again when the descriptor reports one of `events` (poll(2))
    kNeedsExclusivePoll,  // nothing was tried; try again when it holds the exclusive poll
  };
  Step step = Step::kDone;
  int32_t result = 0;
  uint32_t events = 0;
};

// From the return value of a system call and its errno.
inline Outcome Done(ssize_t result) {
  return Outcome{Outcome::Step::kDone, static_cast<int32_t>(result < 0 ? -errno : result), 0};
}

// `error` is a negative errno.
inline Outcome Failed(int32_t error) { return Outcome{Outcome::Step::kDone, error, 0}; }

inline Outcome NotReady(uint32_t events) { return Outcome{Outcome::Step::kNotReady, 0, events}; }

// Repeats a call that fails with EINTR. Workers block signals, but a debugger or the freezer may
// interrupt a call.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Returns the poll(2) events of `fd`, after at most `timeout_ms`; -1 waits without limit.
inline uint32_t PollOnce(int fd, uint32_t events, int timeout_ms) {
  pollfd poll = {fd, static_cast<short>(events), 0};
  const int count = Uninterrupted([&] { return ::poll(&poll, 1, timeout_ms); });
  return count > 0 ? static_cast<uint32_t>(static_cast<unsigned short>(poll.revents)) : 0;
}

// Within its scope, pthread_cancel(3) may end the thread in a system call. The destructor of the
// engine uses it for a call that would never return.
class Interruptible {
 public:
  Interruptible() { pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr); }
  ~Interruptible() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_OUTCOME_H_
