#include "cpp/base/thread_annotations.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>
#include <vector>

namespace mooring {
namespace {

class Counter {
 public:
  void Add() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    AddLocked();
  }
  int value() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return value_;
  }

 private:
  void AddLocked() REQUIRES(mutex_) { ++value_; }

  Mutex mutex_;
  int value_ GUARDED_BY(mutex_) = 0;
};

TEST(Mutex, AdmitsOneThreadAtATime) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int n = 0; n < 10'000; ++n) counter.Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 40'000);
}

// Tries the mutex on another thread: the thread that holds it must not try it
// (pthread_mutex_trylock(3)).
bool IsFree(Mutex& mutex) {
  bool taken = false;
  std::thread([&mutex, &taken] {
    if (mutex.try_lock()) {
      taken = true;
      mutex.unlock();
    }
  }).join();
  return taken;
}

TEST(MutexLock, HoldsForItsScopeOnly) {
  Mutex mutex;
  EXPECT_TRUE(IsFree(mutex));
  {
    const MutexLock lock(mutex);
    EXPECT_FALSE(IsFree(mutex));
  }
  EXPECT_TRUE(IsFree(mutex));
}

// constinit: the global needs no code that runs before main.
constinit Mutex global_mutex;

TEST(Mutex, CanBeAConstantInitialisedGlobal) { EXPECT_TRUE(IsFree(global_mutex)); }

TEST(Mutex, IsReleasedDuringAWaitForACondition) {
  Mutex mutex;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread other([&] {
    const MutexLock lock(mutex);
    ready = true;
    changed.notify_one();
  });
  {
    const MutexLock lock(mutex);
    while (!ready) changed.wait(mutex);
    EXPECT_TRUE(ready);
    EXPECT_FALSE(IsFree(mutex));
  }
  other.join();
}

}  // namespace
}  // namespace mooring
