// CurrentProcess: a token that changes across fork. Reading it costs two loads and no system call.
//
// An object stores the token of the process that created it. If the current token differs, a fork
// child has inherited the object, and must not use the parent's rings or pinned memory. Tokens
// count generations: a child's token is greater than those of all its ancestors. So it is never
// reused, unlike a pid, and never equal on both sides of clone(CLONE_NEWPID), where a pid may be 1
// on both. Tokens of two processes of which neither descends from the other cannot be compared.
//
// The token is in a page that is zero in a fork child (madvise(2), MADV_WIPEONFORK, Linux 4.14), so
// the child of a raw clone(2) or fork(2) system call is detected too. If the kernel does not
// support that, pthread_atfork(3) is used, which detects only fork(3). A child that shares memory
// (vfork, CLONE_VM) counts as the same process, because its changes to an object are changes to the
// parent's.
//
// Threading: any thread, at any time, also between fork and exec: it takes no lock and allocates
// nothing on the heap.
//
//   const ProcessToken maker = CurrentProcess();
//   ...
//   if (CurrentProcess() != maker) return Status(kForked);
#ifndef MOORING_CPP_OS_PROCESS_H_
#define MOORING_CPP_OS_PROCESS_H_

#include <atomic>
#include <cstdint>

namespace mooring {

enum class ProcessToken : uint64_t { kNone = 0 };  // kNone: no process

namespace process_internal {

// Null until the first call. The cell it points to is 0 in a process that has not called yet.
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
