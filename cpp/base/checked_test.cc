#include "cpp/base/checked.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace mooring {
namespace {

TEST(CheckedAdd, ReturnsSumsUpToTheMaximum) {
  EXPECT_EQ(CheckedAdd(0, 0), 0u);
  EXPECT_EQ(CheckedAdd(UINT64_MAX - 1, 1), UINT64_MAX);
}

TEST(CheckedAdd, ReportsOverflow) {
  EXPECT_EQ(CheckedAdd(UINT64_MAX, 1), std::nullopt);
  EXPECT_EQ(CheckedAdd(UINT64_MAX, UINT64_MAX), std::nullopt);
}

TEST(CheckedMultiply, ReturnsProductsUpToTheMaximum) {
  EXPECT_EQ(CheckedMultiply(0, UINT64_MAX), 0u);
  EXPECT_EQ(CheckedMultiply(uint64_t{1} << 32, uint64_t{1} << 31), uint64_t{1} << 63);
  EXPECT_EQ(CheckedMultiply(UINT64_MAX, 1), UINT64_MAX);
}

TEST(CheckedMultiply, ReportsOverflow) {
  EXPECT_EQ(CheckedMultiply(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(CheckedMultiply(UINT64_MAX, 2), std::nullopt);
}

TEST(IsPowerOfTwo, IsTrueForAll64PowersOnly) {
  EXPECT_FALSE(IsPowerOfTwo(0));
  EXPECT_FALSE(IsPowerOfTwo(UINT64_MAX));
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    EXPECT_TRUE(IsPowerOfTwo(power)) << power;
    // 0 is no power of two; 2 - 1 and 1 + 1 are.
    EXPECT_EQ(IsPowerOfTwo(power - 1), bit == 1) << power;
    EXPECT_EQ(IsPowerOfTwo(power + 1), bit == 0) << power;
  }
}

TEST(AlignDown, KeepsAlignedValuesAndLowersOthers) {
  EXPECT_EQ(AlignDown(4096, 4096), 4096u);
  EXPECT_EQ(AlignDown(8191, 4096), 4096u);
  EXPECT_EQ(AlignDown(4095, 4096), 0u);
  EXPECT_EQ(AlignDown(UINT64_MAX, 1), UINT64_MAX);
}

TEST(IsAligned, AgreesWithAlignDown) {
  for (uint64_t value = 0; value < 64; ++value) {
    EXPECT_EQ(IsAligned(value, 16), AlignDown(value, 16) == value) << value;
  }
}

TEST(CheckedAlignUp, KeepsAlignedValuesAndRaisesOthers) {
  EXPECT_EQ(CheckedAlignUp(0, 4096), 0u);
  EXPECT_EQ(CheckedAlignUp(1, 4096), 4096u);
  EXPECT_EQ(CheckedAlignUp(4096, 4096), 4096u);
  EXPECT_EQ(CheckedAlignUp(4097, 4096), 8192u);
}

TEST(CheckedAlignUp, ReportsOverflowOnlyAboveTheLastMultiple) {
  EXPECT_EQ(CheckedAlignUp(UINT64_MAX - 4095, 4096), UINT64_MAX - 4095);
  EXPECT_EQ(CheckedAlignUp(UINT64_MAX - 4094, 4096), std::nullopt);
  EXPECT_EQ(CheckedAlignUp(UINT64_MAX, 1), UINT64_MAX);
}

TEST(RoundUpToPowerOfTwo, ReturnsTheSmallestPowerThatIsLargeEnough) {
  EXPECT_EQ(RoundUpToPowerOfTwo(0), 1u);
  EXPECT_EQ(RoundUpToPowerOfTwo(1), 1u);
  EXPECT_EQ(RoundUpToPowerOfTwo(3), 4u);
  EXPECT_EQ(RoundUpToPowerOfTwo(4), 4u);
  EXPECT_EQ(RoundUpToPowerOfTwo(uint32_t{1} << 31), uint32_t{1} << 31);
}

TEST(RoundUpToPowerOfTwoDeathTest, FailsACheckAboveTheLastPower) {
  EXPECT_DEATH((void)RoundUpToPowerOfTwo((uint32_t{1} << 31) + 1), "check failed");
}

}  // namespace
}  // namespace mooring
