#include "cpp/slabs/buffer_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cpp/slabs/slab.h"

namespace mooring {
namespace {

class CountingWatcher : public BufferWatcher {
 public:
  void OnBufferFree() override { told.fetch_add(1); }
  std::atomic<int> told{0};
};

RefPtr<Slab> SlabOfOne() {
  return Slab::Create({.buffer_bytes = 4096, .buffer_count = 1, .touch = Touch::kNone}).value();
}

TEST(BufferWatch, TellsOnceForEachAdd) {
  BufferWatch watch;
  CountingWatcher one;
  CountingWatcher other;
  EXPECT_FALSE(watch.any());
  watch.Add(&one);
  watch.Add(&one);
  watch.Add(&other);
  EXPECT_TRUE(watch.any());
  watch.Tell();
  EXPECT_FALSE(watch.any());
  watch.Tell();
  EXPECT_EQ(one.told.load(), 1);
  EXPECT_EQ(other.told.load(), 1);
}

TEST(BufferWatch, WhoWasRemovedIsNotTold) {
  BufferWatch watch;
  CountingWatcher one;
  CountingWatcher other;
  watch.Add(&one);
  watch.Add(&other);
  watch.Remove(&one);
  EXPECT_TRUE(watch.any());
  watch.Tell();
  EXPECT_EQ(one.told.load(), 0);
  EXPECT_EQ(other.told.load(), 1);
  watch.Add(&one);
  watch.Remove(&one);
  EXPECT_FALSE(watch.any());
}

TEST(BufferWatch, ALeaseThatIsReleasedTellsAndOneThatIsHeldTellsAtTheLastUnhold) {
  const RefPtr<Slab> slab = SlabOfOne();
  CountingWatcher watcher;
  Lease lease;
  ASSERT_TRUE(slab->Acquire(1, &lease).ok());
  slab->Watch(&watcher);
  ASSERT_TRUE(slab->Release(lease).ok());
  EXPECT_EQ(watcher.told.load(), 1);
  ASSERT_TRUE(slab->Acquire(1, &lease).ok());
  ASSERT_NE(slab->Hold(lease.first_index, lease.generation), 0u);
  ASSERT_TRUE(slab->Release(lease).ok());
  slab->Watch(&watcher);
  slab->Unhold(lease.first_index);
  EXPECT_EQ(watcher.told.load(), 2);
}

TEST(BufferWatch, NobodyWhoWatchesAndLooksOnceMoreIsMissed) {
  const RefPtr<Slab> slab = SlabOfOne();
  CountingWatcher watcher;
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
    const int told = watcher.told.load();
    while (!slab->Acquire(1, &lease).ok()) {
      slab->Watch(&watcher);
      if (slab->Acquire(1, &lease).ok()) break;
      while (watcher.told.load() == told) std::this_thread::yield();  // for ever if it were missed
    }
    out.store(1);
    while (out.load() != 0) std::this_thread::yield();
  }
  releaser.join();
  slab->Unwatch(&watcher);
}

}  // namespace
}  // namespace mooring
