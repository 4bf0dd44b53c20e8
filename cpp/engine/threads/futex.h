// FutexWait and FutexWake: sleep until a 32-bit value changes. They are for the few places of the
// threads engine that must wake several sleepers in one system call, or sleep with a deadline
// beside counters that are not under a mutex.
//
// The waking thread changes the value before it calls FutexWake. FutexWait may return early (EINTR,
// a wake for another reason): check the condition again. Private to the process (futex(2),
// FUTEX_PRIVATE_FLAG).
//
// Threading: any thread.
#ifndef MOORING_CPP_ENGINE_THREADS_FUTEX_H_
#define MOORING_CPP_ENGINE_THREADS_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "cpp/base/deadline.h"

namespace mooring {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

// Sleeps while `word` is `expected`, at most until the deadline. FUTEX_WAIT measures its timeout on
// CLOCK_MONOTONIC.
inline void FutexWait(std::atomic<uint32_t>& word, uint32_t expected, Deadline deadline) {
  const timespec remaining = deadline.Remaining();
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, deadline.IsNever() ? nullptr : &remaining,
          nullptr, 0);
}

inline void FutexWake(std::atomic<uint32_t>& word, uint32_t count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_FUTEX_H_
