// CurrentProcess: a token that changes across fork, for the price of two loads and no system call.
//
// An object remembers the token of the process that made it; where the token is another, the object
// was inherited by a fork child, and must not touch the parent's rings or pinned memory. Tokens
// count generations: a child's is greater than that of any of its ancestors, so unlike a pid it
// cannot come round again, nor be 1 on both sides of clone(CLONE_NEWPID). Tokens of two processes
// that do not descend from each other mean nothing to each other.
//
// The token lives in a page that the kernel hands to a fork child as zeroes (madvise(2),
// MADV_WIPEONFORK, Linux 4.14), so the child of a raw clone(2) or fork(2) system call is seen too.
// Where the kernel refuses that, pthread_atfork(3) stands in, which sees only fork(3). A child that
// shares memory (vfork, CLONE_VM) is the same process here: what it does to an object is done to
// the parent's.
//
// Threading: any thread, at any time, also between fork and exec: it takes no lock and no heap.
//
//   const ProcessToken maker = CurrentProcess();
//   ...
//   if (CurrentProcess() != maker) return Status(kForked);
#ifndef MOORING_CPP_OS_PROCESS_H_
#define MOORING_CPP_OS_PROCESS_H_

#include <atomic>
#include <cstdint>

namespace mooring {

enum class ProcessToken : uint64_t { kNone = 0 };  // kNone: of no process

namespace process_internal {

// Null until the first call; what it points to is 0 in a process that has not called yet.
extern constinit std::atomic<std::atomic<uint64_t>*> token_cell;

ProcessToken Renew();

}  // namespace process_internal

// Never kNone.
inline ProcessToken CurrentProcess() {
  // Acquire pairs with the release that publishes the cell.
  if (const std::atomic<uint64_t>* cell =
          process_internal::token_cell.load(std::memory_order_acquire)) {
    // Acquire pairs with the release that publishes the token.
    if (const uint64_t token = cell->load(std::memory_order_acquire)) return ProcessToken{token};
  }
  return process_internal::Renew();
}

}  // namespace mooring

#endif  // MOORING_CPP_OS_PROCESS_H_
