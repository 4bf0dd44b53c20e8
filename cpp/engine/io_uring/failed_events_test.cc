#include "cpp/engine/io_uring/failed_events.h"

#include <gtest/gtest.h>

#include <thread>

namespace mooring {
namespace {

TEST(FailedEvents, ComeOutOnceInOrder) {
  FailedEvents failed(5);
  EXPECT_TRUE(failed.Empty());
  for (uint64_t i = 0; i < 5; ++i) failed.Push(i, -static_cast<int32_t>(i));
  EXPECT_FALSE(failed.Empty());
  Event events[3];
  EXPECT_EQ(failed.Take(events), 3u);
  EXPECT_EQ(events[2].token, 2u);
  EXPECT_EQ(events[2].result, -2);
  EXPECT_EQ(failed.Take(events), 2u);
  EXPECT_EQ(events[1].token, 4u);
  EXPECT_EQ(failed.Take(events), 0u);
  EXPECT_TRUE(failed.Empty());
}

TEST(FailedEvents, TakeWithoutRoomTakesNothing) {
  FailedEvents failed(1);
  failed.Push(1, -1);
  EXPECT_EQ(failed.Take({}), 0u);
  EXPECT_FALSE(failed.Empty());
}

TEST(FailedEventsDeathTest, PushBeyondInFlightMaxAborts) {
  FailedEvents failed(4);
  for (uint64_t i = 0; i < 4; ++i) failed.Push(i, -1);
  EXPECT_DEATH(failed.Push(4, -1), "");
}

TEST(FailedEvents, PassFromThreadToThread) {
  constexpr uint64_t kCount = 100'000;
  FailedEvents failed(64);
  std::atomic<uint64_t> taken{0};
  std::thread pusher([&] {
    for (uint64_t i = 0; i < kCount; ++i) {
      while (i - taken.load() >= 64) std::this_thread::yield();
      failed.Push(i, static_cast<int32_t>(i));
    }
  });
  Event events[7];
  for (uint64_t next = 0; next < kCount;) {
    const uint32_t count = failed.Take(events);
    if (count == 0) std::this_thread::yield();
    for (uint32_t i = 0; i < count; ++i, ++next) {
      ASSERT_EQ(events[i].token, next);
      ASSERT_EQ(events[i].result, static_cast<int32_t>(next));
    }
    taken = next;
  }
  pusher.join();
}

}  // namespace
}  // namespace mooring
