// Wrapped calls about memory, limits and threads.

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "testing/faults/balance.h"
#include "testing/faults/fault_plan.h"

struct bitmask;

using mooring::faults::CallKind;
using mooring::faults::CallUnlessFault;
using mooring::faults::FaultFor;

extern "C" {

void* __real_mmap(void*, size_t, int, int, int, off_t);
int __real_munmap(void*, size_t);
int __real_madvise(void*, size_t, int);
int __real_mprotect(void*, size_t, int);
int __real_mincore(void*, size_t, unsigned char*);
long __real_mbind(void*, unsigned long, int, const unsigned long*, unsigned long, unsigned);
long __real_move_pages(int, unsigned long, void**, const int*, int*, int);
int __real_numa_sched_setaffinity(pid_t, bitmask*);
int __real_numa_sched_getaffinity(pid_t, bitmask*);
int __real_sched_getaffinity(pid_t, size_t, cpu_set_t*);
int __real_getrlimit(int, rlimit*);
int __real_setrlimit(int, const rlimit*);
long __real_syscall(long, long, long, long, long, long, long);
int __real_nanosleep(const timespec*, timespec*);
int __real_pthread_attr_init(pthread_attr_t*);
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int __real_pthread_join(pthread_t, void**);

void* __wrap_mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  if (const int error = FaultFor(CallKind::kMmap); error != 0) {
    errno = error;
    return MAP_FAILED;
  }
  void* const data = __real_mmap(at, size, protection, flags, fd, offset);
  if (data != MAP_FAILED && (flags & MAP_FIXED) == 0)
    mooring::faults::CountMapped(static_cast<int64_t>(size));
  return data;
}

int __wrap_munmap(void* data, size_t size) {
  if (const int error = FaultFor(CallKind::kMunmap); error != 0) {
    mooring::faults::RecordRefusedUnmap(data, size);
    errno = error;
    return -1;
  }
  const int result = __real_munmap(data, size);
  if (result == 0) mooring::faults::CountMapped(-static_cast<int64_t>(size));
  return result;
}

int __wrap_madvise(void* data, size_t size, int advice) {
  return CallUnlessFault(CallKind::kMadvise, [&] { return __real_madvise(data, size, advice); });
}

int __wrap_mprotect(void* data, size_t size, int protection) {
  return CallUnlessFault(CallKind::kMprotect,
                         [&] { return __real_mprotect(data, size, protection); });
}

int __wrap_mincore(void* data, size_t size, unsigned char* pages) {
  return CallUnlessFault(CallKind::kMincore, [&] { return __real_mincore(data, size, pages); });
}

long __wrap_mbind(void* data, unsigned long size, int mode, const unsigned long* nodes,
                  unsigned long count, unsigned flags) {
  return CallUnlessFault(CallKind::kMbind,
                         [&] { return __real_mbind(data, size, mode, nodes, count, flags); });
}

long __wrap_move_pages(int process, unsigned long count, void** pages, const int* nodes,
                       int* statuses, int flags) {
  return CallUnlessFault(CallKind::kMovePages, [&] {
    return __real_move_pages(process, count, pages, nodes, statuses, flags);
  });
}

int __wrap_numa_sched_setaffinity(pid_t process, bitmask* mask) {
  return CallUnlessFault(CallKind::kSetAffinity,
                         [&] { return __real_numa_sched_setaffinity(process, mask); });
}

int __wrap_numa_sched_getaffinity(pid_t process, bitmask* mask) {
  return CallUnlessFault(CallKind::kGetAffinity,
                         [&] { return __real_numa_sched_getaffinity(process, mask); });
}

int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t* set) {
  return CallUnlessFault(CallKind::kGetAffinity,
                         [&] { return __real_sched_getaffinity(process, size, set); });
}

int __wrap_getrlimit(int resource, rlimit* limit) {
  return CallUnlessFault(CallKind::kGetRlimit, [&] { return __real_getrlimit(resource, limit); });
}

int __wrap_setrlimit(int resource, const rlimit* limit) {
  return CallUnlessFault(CallKind::kSetRlimit, [&] { return __real_setrlimit(resource, limit); });
}

// syscall(2) is variadic; its arguments are passed in the same registers in both cases.
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f) {
  const auto call = [&] { return __real_syscall(number, a, b, c, d, e, f); };
  if (number == SYS_capget) return CallUnlessFault(CallKind::kCapget, call);
  // Waking cannot fail.
  if (number == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAIT)
    return CallUnlessFault(CallKind::kFutex, call);
  return call();
}

int __wrap_nanosleep(const timespec* time, timespec* left) {
  if (left != nullptr) *left = {};
  return CallUnlessFault(CallKind::kNanosleep, [&] { return __real_nanosleep(time, left); });
}

int __wrap_pthread_attr_init(pthread_attr_t* attributes) {
  const int error = FaultFor(CallKind::kPthreadAttrInit);
  return error != 0 ? error : __real_pthread_attr_init(attributes);
}

}  // extern "C"

namespace {

struct Start {
  void* (*body)(void*);
  void* argument;
  bool armed;
};

void* Run(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  if (start->armed) mooring::faults::ArmThisThread();
  return start->body(start->argument);
}

}  // namespace

extern "C" {

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument) {
  if (const int error = FaultFor(CallKind::kPthreadCreate); error != 0) return error;
  auto start = std::make_unique<Start>(Start{body, argument, mooring::faults::IsArmed()});
  const int error = __real_pthread_create(thread, attributes, &Run, start.get());
  if (error != 0) return error;
  (void)start.release();  // the thread owns it
  mooring::faults::CountThread(1);
  return 0;
}

int __wrap_pthread_join(pthread_t thread, void** result) {
  const int error = __real_pthread_join(thread, result);
  if (error == 0) mooring::faults::CountThread(-1);
  return error;
}

}  // extern "C"
