// CurrentThread: a token that is unique among all threads of a process, also those that have ended.
// The values of pthread_self(3) and gettid(2) are reused after their thread has ended, so they can
// identify a new thread as an old one.
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
