// Thread: one thread of the threads engine. It blocks all signals except faults. So handlers of the
// process run on other threads, calls here are not interrupted, and a broken pipe is an errno and
// not SIGPIPE.
//
// Lifecycle: Start, then Join. A Thread that is not joined is left alone (in a fork child there is
// no thread to join).
//
// Threading: one call at a time.
#ifndef MOORING_CPP_ENGINE_THREADS_THREAD_H_
#define MOORING_CPP_ENGINE_THREADS_THREAD_H_

#include <pthread.h>

namespace mooring {

class Thread {
 public:
  using Body = void (*)(void* argument);

  // `name` has at most 15 characters. Returns 0 or a negative errno.
  int Start(const char* name, Body body, void* argument);
  bool started() const { return started_; }
  // Ends the thread if it is in, or enters, a system call that allows it (Interruptible in
  // outcome.h). Otherwise it has no effect. pthread_cancel(3) loads libgcc_s: a last resort.
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
