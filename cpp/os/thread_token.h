// CurrentThread: a token that no two threads of a process share, one after the other either. What
// pthread_self(3) and gettid(2) give comes round again as soon as its thread has ended: who holds
// only that takes a newcomer for the dead.
//
// Threading: any thread, at any time. A thread that forks keeps its token in the child.
//
//   const ThreadToken maker = CurrentThread();
//   ...
//   if (CurrentThread() != maker) return Status(kNotOwner);
#ifndef MOORING_CPP_OS_THREAD_TOKEN_H_
#define MOORING_CPP_OS_THREAD_TOKEN_H_

#include <cstdint>

namespace mooring {

enum class ThreadToken : uint64_t {};

ThreadToken CurrentThread();

}  // namespace mooring

#endif  // MOORING_CPP_OS_THREAD_TOKEN_H_
