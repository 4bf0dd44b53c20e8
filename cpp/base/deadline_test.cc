#include "cpp/base/deadline.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace mooring {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(MonotonicNow, NeverGoesBack) {
  int64_t last = MonotonicNow();
  for (int i = 0; i < 10'000; ++i) {
    const int64_t now = MonotonicNow();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Deadline, WithoutTimeHasPassed) {
  for (const int64_t timeout_ns : {int64_t{0}, int64_t{-1}, INT64_MIN}) {
    const Deadline deadline = Deadline::After(timeout_ns);
    EXPECT_TRUE(deadline.Passed()) << timeout_ns;
    EXPECT_FALSE(deadline.IsNever()) << timeout_ns;
    EXPECT_EQ(deadline.RemainingNs(), 0) << timeout_ns;
  }
}

TEST(Deadline, AboveTheMaximumNeverPasses) {
  for (const int64_t timeout_ns : {INT64_MAX, INT64_MAX - 1}) {
    const Deadline deadline = Deadline::After(timeout_ns);
    EXPECT_TRUE(deadline.IsNever()) << timeout_ns;
    EXPECT_FALSE(deadline.Passed()) << timeout_ns;
    EXPECT_EQ(deadline.RemainingNs(), INT64_MAX) << timeout_ns;
  }
}

TEST(Deadline, RemainingIsAtMostTheTimeout) {
  const int64_t before = MonotonicNow();
  const Deadline deadline = Deadline::After(3600 * kSecond);
  const int64_t left = deadline.RemainingNs();
  const int64_t passed = MonotonicNow() - before;
  EXPECT_LE(left, 3600 * kSecond);
  EXPECT_GE(left, 3600 * kSecond - passed);
  EXPECT_FALSE(deadline.Passed());
}

TEST(Deadline, PassesAfterItsTimeout) {
  const int64_t before = MonotonicNow();
  const Deadline deadline = Deadline::After(1'000'000);
  while (!deadline.Passed()) ASSERT_LT(MonotonicNow() - before, 20 * kSecond);
  EXPECT_GE(MonotonicNow() - before, 1'000'000);
  EXPECT_EQ(deadline.RemainingNs(), 0);
}

TEST(Deadline, RemainingIsSecondsAndNanoseconds) {
  const timespec left = Deadline::After(90 * kSecond).Remaining();
  EXPECT_GE(left.tv_sec, 60);
  EXPECT_LE(left.tv_sec, 90);
  EXPECT_GE(left.tv_nsec, 0);
  EXPECT_LT(left.tv_nsec, kSecond);
  const timespec never = Deadline::After(INT64_MAX).Remaining();
  EXPECT_EQ(never.tv_sec, INT64_MAX / kSecond);
  EXPECT_EQ(never.tv_nsec, INT64_MAX % kSecond);
}

}  // namespace
}  // namespace mooring
