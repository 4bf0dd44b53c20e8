#include "cpp/slabs/buffer_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "cpp/slabs/slab.h"

namespace mooring {
namespace {

class CountingWatcher : public BufferWatcher {
 public:
  void OnBufferFree() override { notified.fetch_add(1); }
  std::atomic<int> notified{0};
};

// Calls a function for each notification.
class CallingWatcher : public BufferWatcher {
 public:
  explicit CallingWatcher(std::function<void(BufferWatcher*)> function)
      : function_(std::move(function)) {}
  void OnBufferFree() override { function_(this); }

 private:
  const std::function<void(BufferWatcher*)> function_;
};

RefPtr<Slab> SlabOf(uint64_t buffer_count) {
  return Slab::Create({.buffer_bytes = 4096, .buffer_count = buffer_count, .touch = Touch::kNone})
      .value();
}

TEST(BufferWatch, NotifiesOnceForEachAdd) {
  BufferWatch watch;
  const auto one = MakeRef<CountingWatcher>();
  const auto other = MakeRef<CountingWatcher>();
  EXPECT_FALSE(watch.any());
  watch.Add(one.get());
  watch.Add(one.get());
  watch.Add(other.get());
  EXPECT_TRUE(watch.any());
  watch.Notify();
  EXPECT_FALSE(watch.any());
  watch.Notify();
  EXPECT_EQ(one->notified.load(), 1);
  EXPECT_EQ(other->notified.load(), 1);
}

TEST(BufferWatch, DoesNotNotifyARemovedWatcher) {
  BufferWatch watch;
  const auto one = MakeRef<CountingWatcher>();
  const auto other = MakeRef<CountingWatcher>();
  watch.Add(one.get());
  watch.Add(other.get());
  watch.Remove(one.get());
  EXPECT_TRUE(watch.any());
  watch.Notify();
  EXPECT_EQ(one->notified.load(), 0);
  EXPECT_EQ(other->notified.load(), 1);
  watch.Add(one.get());
  watch.Remove(one.get());
  EXPECT_FALSE(watch.any());
}

TEST(BufferWatch, KeepsItsOrderWhenTheLastWatcherIsRemoved) {
  BufferWatch watch;
  std::vector<int> order;
  std::vector<RefPtr<CallingWatcher>> watchers;
  for (int i = 0; i < 4; ++i) {
    watchers.push_back(
        MakeRef<CallingWatcher>([&order, i](BufferWatcher*) { order.push_back(i); }));
  }
  for (int i = 0; i < 3; ++i) watch.Add(watchers[i].get());
  watch.Remove(watchers[2].get());
  watch.Add(watchers[3].get());
  watch.Remove(watchers[0].get());
  watch.Notify();
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
}

TEST(BufferWatch, CallsWatchersWithoutItsLockSoTheyMayUseTheWatch) {
  BufferWatch watch;
  const auto other = MakeRef<CountingWatcher>();
  int calls = 0;
  const auto watcher = MakeRef<CallingWatcher>([&](BufferWatcher* self) {
    ++calls;
    watch.Add(other.get());
    watch.Notify();
    watch.Add(self);
    watch.Remove(other.get());
  });
  watch.Add(watcher.get());
  watch.Notify();
  EXPECT_EQ(calls, 1);  // the second Add is for the next Notify
  EXPECT_EQ(other->notified.load(), 1);
  EXPECT_TRUE(watch.any());
  watch.Remove(watcher.get());
  EXPECT_FALSE(watch.any());
}

TEST(BufferWatch, AWatcherMayAcquireAndReleaseBuffersOfTheSlab) {
  const RefPtr<Slab> slab = SlabOf(2);
  int calls = 0;
  const auto watcher = MakeRef<CallingWatcher>([&](BufferWatcher* self) {
    Lease lease;
    if (++calls == 3) return;
    ASSERT_TRUE(slab->Acquire(1, &lease).ok());
    slab->Watch(self);
    EXPECT_TRUE(slab->Release(lease).ok());  // notifies again, inside this notification
  });
  Lease lease;
  ASSERT_TRUE(slab->Acquire(2, &lease).ok());
  slab->Watch(watcher.get());
  ASSERT_TRUE(slab->Release(lease).ok());
  EXPECT_EQ(calls, 3);
}

TEST(BufferWatch, NotifiesAtReleaseOrForAHeldLeaseAtTheLastUnhold) {
  const RefPtr<Slab> slab = SlabOf(1);
  const auto watcher = MakeRef<CountingWatcher>();
  Lease lease;
  ASSERT_TRUE(slab->Acquire(1, &lease).ok());
  slab->Watch(watcher.get());
  ASSERT_TRUE(slab->Release(lease).ok());
  EXPECT_EQ(watcher->notified.load(), 1);
  ASSERT_TRUE(slab->Acquire(1, &lease).ok());
  ASSERT_NE(slab->Hold(lease.first_index, lease.generation), 0u);
  ASSERT_TRUE(slab->Release(lease).ok());
  slab->Watch(watcher.get());
  slab->Unhold(lease.first_index);
  EXPECT_EQ(watcher->notified.load(), 2);
}

}  // namespace
}  // namespace mooring
