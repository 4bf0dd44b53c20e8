#include "cpp/base/check.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

TEST(Check, ContinuesIfTheConditionHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, EndsTheProcessAndNamesTheCondition) {
  const int value = 41;
  EXPECT_DEATH(CHECK(value == 42), "mooring: .*check_test.cc:[0-9]+: check failed: value == 42");
}

TEST(CheckDeathTest, DcheckIsCheckInDebugBuildsAndDoesNothingInOthers) {
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
