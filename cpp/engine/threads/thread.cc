#include "cpp/engine/threads/thread.h"

#include <signal.h>

#include <cerrno>
#include <initializer_list>

#include "cpp/base/check.h"

namespace mooring {
namespace {

// No code here recurses. A process with much static thread-local storage may need more: Start then
// uses the default size.
constexpr size_t kStackBytes = 256 * 1024;

// Signals raised by a fault of the thread itself are not blocked: blocked, they would end the
// process without running its handlers.
void FillBlockedSignals(sigset_t* set) {
  sigfillset(set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    sigdelset(set, fault);
  }
}

// Returns 0 or a negative errno.
int CreateThread(pthread_t* thread, size_t stack_bytes, void* (*enter)(void*), void* argument) {
  pthread_attr_t attributes;
  const int error = pthread_attr_init(&attributes);
  if (error != 0) return -error;
  if (stack_bytes > 0) pthread_attr_setstacksize(&attributes, stack_bytes);
  const int result = pthread_create(thread, &attributes, enter, argument);
  pthread_attr_destroy(&attributes);
  return -result;
}

}  // namespace

int Thread::Start(const char* name, Body body, void* argument) {
  CHECK(!started_);
  name_ = name;
  body_ = body;
  argument_ = argument;
  sigset_t blocked;
  sigset_t before;
  FillBlockedSignals(&blocked);
  // A thread inherits the mask of its creator (pthread_sigmask(3)). The mask is set before the
  // creation, so no signal arrives before it applies.
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int error = CreateThread(&thread_, kStackBytes, &Thread::Enter, this);
  if (error == -EINVAL) error = CreateThread(&thread_, 0, &Thread::Enter, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  started_ = error == 0;
  return error;
}

void* Thread::Enter(void* self) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  const Thread& thread = *static_cast<Thread*>(self);
  pthread_setname_np(pthread_self(), thread.name_);
  thread.body_(thread.argument_);
  return nullptr;
}

void Thread::Join() {
  CHECK(started_);
  const int error = pthread_join(thread_, nullptr);
  CHECK(error == 0);
  started_ = false;
}

}  // namespace mooring
