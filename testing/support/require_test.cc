#include "testing/support/require.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace mooring::conformance {
namespace {

TEST(Require, FindsAFeatureAnywhereInTheList) {
  for (const char* feature : {"io_uring", "memlock", "gpu"}) {
    EXPECT_TRUE(ListContains("io_uring,memlock,gpu", feature)) << feature;
  }
}

TEST(Require, FindsWholeNamesOnly) {
  EXPECT_FALSE(ListContains("io_uring,memlock", "io"));
  EXPECT_FALSE(ListContains("io_uring,memlock", "lock"));
  EXPECT_FALSE(ListContains("", "io_uring"));
}

void NeedsAFeatureThatIsMissing() { SKIP_WITHOUT(false, "no_such_feature", "no remedy"); }

TEST(Require, TurnsASkipIntoAFailure) {
  ASSERT_EQ(setenv("MOORING_REQUIRE", "io_uring,no_such_feature", 1), 0);
  EXPECT_FATAL_FAILURE(NeedsAFeatureThatIsMissing(), "no_such_feature");
  unsetenv("MOORING_REQUIRE");
}

}  // namespace
}  // namespace mooring::conformance
