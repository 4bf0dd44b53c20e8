// Thread: one thread of the threads engine. It blocks every signal that can be sent to it, so that
// the process's handlers run on the process's threads, no call here is interrupted, and a broken
// pipe is an errno and no SIGPIPE.
//
// Lifecycle: Start, then Join. Not joined, it is left alone (in a fork child there is nothing to
// join).
//
// Threading: one at a time.
#ifndef MOORING_CPP_ENGINE_THREADS_THREAD_H_
#define MOORING_CPP_ENGINE_THREADS_THREAD_H_

#include <pthread.h>

namespace mooring {

class Thread {
 public:
  using Body = void (*)(void* argument);

  // `name` is at most 15 characters. 0, or an errno.
  int Start(const char* name, Body body, void* argument);
  bool started() const { return started_; }
  // Ends it where it stands if it is, or comes, where it allows that (execute.h); else
  // nothing happens. Loads libgcc_s (pthread_cancel(3)): a last resort.
  void Interrupt() { pthread_cancel(thread_); }
  void Join();

 private:
  static void* Enter(void* self);

  pthread_t thread_ = {};
  bool started_ = false;
  const char* name_ = "";
  Body body_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_THREAD_H_
