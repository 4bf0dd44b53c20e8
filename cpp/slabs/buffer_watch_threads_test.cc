// BufferWatch under several threads; run it with --config=tsan too.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "cpp/slabs/buffer_watch.h"
#include "cpp/slabs/slab.h"

namespace mooring {
namespace {

class CountingWatcher : public BufferWatcher {
 public:
  void OnBufferFree() override { notified.fetch_add(1); }
  std::atomic<int> notified{0};
};

TEST(BufferWatchThreads, NoNotificationIsLostWhenTheWatcherLooksOnceMore) {
  const RefPtr<Slab> slab =
      Slab::Create({.buffer_bytes = 4096, .buffer_count = 1, .touch = Touch::kNone}).value();
  const auto watcher = MakeRef<CountingWatcher>();
  constexpr int kRounds = 2'000;
  std::atomic<int> out{0};  // `lease` waits to be released
  Lease lease;
  std::thread releaser([&] {
    for (int i = 0; i < kRounds; ++i) {
      while (out.load() == 0) std::this_thread::yield();
      const Lease taken = lease;
      out.store(0);
      EXPECT_TRUE(slab->Release(taken).ok());
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    const int notified = watcher->notified.load();
    while (!slab->Acquire(1, &lease).ok()) {
      slab->Watch(watcher.get());
      if (slab->Acquire(1, &lease).ok()) break;
      // Until the test times out, if a notification was lost.
      while (watcher->notified.load() == notified) std::this_thread::yield();
    }
    out.store(1);
    while (out.load() != 0) std::this_thread::yield();
  }
  releaser.join();
  slab->Unwatch(watcher.get());
}

// Fails when it is called after its destruction has begun. The member is not atomic, so the thread
// sanitizer also reports a destruction that is not ordered after the calls.
class FragileWatcher : public BufferWatcher {
 public:
  FragileWatcher(std::atomic<int>* notified, std::atomic<int>* destroyed)
      : notified_(notified), destroyed_(destroyed) {}
  ~FragileWatcher() override {
    is_alive_ = false;
    destroyed_->fetch_add(1);
  }
  void OnBufferFree() override {
    std::this_thread::yield();
    EXPECT_TRUE(is_alive_);
    notified_->fetch_add(1);
  }

 private:
  bool is_alive_ = true;
  std::atomic<int>* const notified_;
  std::atomic<int>* const destroyed_;
};

TEST(BufferWatchThreads, AWatcherMayBeRemovedAndDroppedDuringItsNotification) {
  constexpr int kWatchers = 2'000;
  BufferWatch watch;
  std::atomic<int> notified{0};
  std::atomic<int> destroyed{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> notifiers;
  for (int i = 0; i < 2; ++i) {
    notifiers.emplace_back([&] {
      while (!done.load()) {
        if (watch.any()) {
          watch.Notify();
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (int i = 0; i < kWatchers; ++i) {
    const auto watcher = MakeRef<FragileWatcher>(&notified, &destroyed);
    const int before = notified.load();
    watch.Add(watcher.get());
    // One half is removed immediately, one half after some notification.
    if (i % 2 == 0) {
      while (notified.load() == before) std::this_thread::yield();
      watch.Add(watcher.get());
    }
    watch.Remove(watcher.get());
  }
  done.store(true);
  for (std::thread& thread : notifiers) thread.join();
  EXPECT_FALSE(watch.any());
  EXPECT_GE(notified.load(), kWatchers / 2);
  EXPECT_EQ(destroyed.load(), kWatchers);
}

}  // namespace
}  // namespace mooring
