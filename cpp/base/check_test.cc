#include "cpp/base/check.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

TEST(Check, PassesWhatHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, EndsTheProcessAndSaysWhatBroke) {
  const int answer = 41;
  EXPECT_DEATH(CHECK(answer == 42), "mooring: .*check_test.cc:[0-9]+: check failed: answer == 42");
}

TEST(CheckDeathTest, DcheckIsCheckInDebugBuildsAndEvaluatesNothingInOthers) {
  int evaluated = 0;
#ifdef NDEBUG
  DCHECK(++evaluated == 7);
  EXPECT_EQ(evaluated, 0);
#else
  EXPECT_DEATH(DCHECK(++evaluated == 7), "check failed");
#endif
}

TEST(Check, CanBeUsedInConstantExpressions) {
  constexpr auto half = [](int even) {
    CHECK(even % 2 == 0);
    return even / 2;
  };
  static_assert(half(42) == 21);
}

}  // namespace
}  // namespace mooring
