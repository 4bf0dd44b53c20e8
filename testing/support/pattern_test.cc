#include "testing/support/pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mooring::conformance {
namespace {

TEST(Pattern, IsTheSameFromAnyStart) {
  const std::vector<std::byte> whole = Pattern(1, 0, 8192);
  EXPECT_TRUE(HasPattern(whole.data() + 4096, 1, 4096, 4096));
}

TEST(Pattern, DetectsAByteThatChanged) {
  std::vector<std::byte> bytes = Pattern(1, 0, 4096);
  bytes[4095] ^= std::byte{1};
  EXPECT_FALSE(HasPattern(bytes.data(), 1, 0, 4096));
}

TEST(Pattern, DetectsAnotherOffsetAndAnotherSeed) {
  const std::vector<std::byte> bytes = Pattern(1, 0, 4096);
  for (uint64_t shift : {1, 512, 4096, 65536})
    EXPECT_FALSE(HasPattern(bytes.data(), 1, shift, 4096));
  EXPECT_FALSE(HasPattern(bytes.data(), 2, 0, 4096));
}

TEST(IsAll, ReportsTheFirstByteThatDiffers) {
  std::vector<std::byte> bytes(100, std::byte{7});
  EXPECT_TRUE(IsAll(bytes.data(), std::byte{7}, 100));
  bytes[42] = std::byte{8};
  const ::testing::AssertionResult result = IsAll(bytes.data(), std::byte{7}, 100);
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("byte 42"), std::string::npos);
}

}  // namespace
}  // namespace mooring::conformance
