// Outcome: how far a request got on a worker, and the small parts that all system calls of workers
// share.
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
    kDone,  // `result` is the event's
    kWait,  // nothing more can happen now; again when one of `events` (poll(2)) is there
    kNeedsExclusivePoll,  // nothing has happened; again once it has its turn (exclusive_poll.h)
  };
  Step step = Step::kDone;
  int32_t result = 0;
  uint32_t events = 0;
};

// What a system call gave, with its errno.
inline Outcome Done(ssize_t result) {
  return Outcome{Outcome::Step::kDone, static_cast<int32_t>(result < 0 ? -errno : result), 0};
}

inline Outcome Failed(int error) { return Outcome{Outcome::Step::kDone, -error, 0}; }

inline Outcome WaitFor(uint32_t events) { return Outcome{Outcome::Step::kWait, 0, events}; }

// No handler of ours exists and workers block signals, yet a debugger or the freezer may interrupt
// a call.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// What of `events` is there after `timeout_ms` at most (poll(2)); -1 waits.
inline uint32_t PollOnce(int fd, uint32_t events, int timeout_ms) {
  pollfd poll = {fd, static_cast<short>(events), 0};
  const int count = Uninterrupted([&] { return ::poll(&poll, 1, timeout_ms); });
  return count > 0 ? static_cast<uint32_t>(static_cast<unsigned short>(poll.revents)) : 0;
}

// Within its scope the thread may end in a system call: the destructor's way out of one that would
// never return.
class Interruptible {
 public:
  Interruptible() { pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr); }
  ~Interruptible() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_OUTCOME_H_
