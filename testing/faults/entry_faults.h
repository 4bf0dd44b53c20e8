// entry_faults.h: injects faults into entries of submission queues; their completions report them.
//
// A completion may be read as soon as the kernel posts it, so it cannot be changed in time. An
// entry can be changed before the kernel reads it. With an errno it becomes a nop that completes
// with the errno (IORING_NOP_INJECT_RESULT, Linux 6.10) and breaks its chain as a failure does.
// With kShort it requests, and transfers, half of the bytes.
//
// Nops and cancellations are left alone, as they cannot fail in this way; so are close operations,
// which close their descriptor even if they fail. Entries of an SQPOLL queue are changed in the
// call that wakes the SQPOLL thread, while a SqpollThreadSleep exists: at any other time the kernel
// may read them concurrently.
//
// Threading: any; each queue from one thread at a time.
#ifndef MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_
#define MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_

#include <liburing.h>

#include <cstdint>

namespace mooring::faults {

// Whether the kernel has IORING_NOP_INJECT_RESULT.
bool CanInjectEntryFaults();

// The constructor waits until the SQPOLL thread of the last ring sleeps, where the kernel reports
// that. Nothing may be in flight, because a completion would wake the thread.
class SqpollThreadSleep {
 public:
  SqpollThreadSleep();
  ~SqpollThreadSleep();
  SqpollThreadSleep(const SqpollThreadSleep&) = delete;
};

// Remembers the queue of `ring`, which has just been mapped.
void RememberQueue(const io_uring& ring);

// Applies the plan to each of the next `count` entries that the kernel will read from `ring_fd`.
void InjectEntryFaults(int ring_fd, uint32_t count);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_
