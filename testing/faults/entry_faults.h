// entry_faults.h: strikes entries of submission queues, so that their completions tell of the
// fault.
//
// A completion cannot be changed before somebody may have read it, but an entry can before the
// kernel does: it becomes a nop that completes with the errno (IORING_NOP_INJECT_RESULT, Linux
// 6.10), breaking its chain as a failure does; a short one asks for half, and truly moves half.
//
// Not struck: nops and cancellations, which cannot fail so; and closing, which frees its descriptor
// even then. Entries of a polled queue (SQPOLL) are struck in the call that wakes the polling
// thread, for as long as there is a SqpollThreadRest: else the kernel may read them meanwhile.
//
// Threading: any; a queue by one thread at a time.
#ifndef MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_
#define MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_

#include <liburing.h>

#include <cstdint>

namespace mooring::faults {

// Whether the kernel can be asked for an errno.
bool CanStrikeEntries();

// Begins when the polling thread of the last ring sleeps, where the kernel tells that. Only while
// nothing is in flight, whose end would wake it.
class SqpollThreadRest {
 public:
  SqpollThreadRest();
  ~SqpollThreadRest();
  SqpollThreadRest(const SqpollThreadRest&) = delete;
};

// Remembers the queue of `ring`, which has just been mapped.
void RememberQueue(const io_uring& ring);

// Asks the plan for each of the next `count` entries that the kernel will take from `ring_fd`.
void StrikeEntries(int ring_fd, uint32_t count);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_ENTRY_FAULTS_H_
