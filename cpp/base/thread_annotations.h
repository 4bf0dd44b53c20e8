// Mutex, MutexLock and annotations. With them, clang's -Wthread-safety checks that guarded data is
// used only under its mutex. gcc ignores the annotations.
#ifndef MOORING_CPP_BASE_THREAD_ANNOTATIONS_H_
#define MOORING_CPP_BASE_THREAD_ANNOTATIONS_H_

#include <mutex>

#if defined(__clang__)
#define MOORING_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define MOORING_THREAD_ANNOTATION(x)
#endif

#define GUARDED_BY(x) MOORING_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(x) MOORING_THREAD_ANNOTATION(requires_capability(x))
#define EXCLUDES(x) MOORING_THREAD_ANNOTATION(locks_excluded(x))
#define RETURN_CAPABILITY(x) MOORING_THREAD_ANNOTATION(lock_returned(x))

namespace mooring {

class MOORING_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() MOORING_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() MOORING_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  bool try_lock() MOORING_THREAD_ANNOTATION(try_acquire_capability(true)) {
    return mutex_.try_lock();
  }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope. To wait in the scope, pass the Mutex to std::condition_variable_any,
// which unlocks it and locks it again.
class MOORING_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) MOORING_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() MOORING_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace mooring

#endif  // MOORING_CPP_BASE_THREAD_ANNOTATIONS_H_
