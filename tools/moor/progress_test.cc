#include "tools/moor/progress.h"

#include <gtest/gtest.h>

namespace moor {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(ProgressLine, ShowsPercentageRateAndRemainingTime) {
  const std::string line = ProgressLine(25 * kMiB, 100 * kMiB, 5, 200);
  EXPECT_NE(line.find("25%"), std::string::npos) << line;
  EXPECT_NE(line.find("5.0 MiB/s"), std::string::npos) << line;
  EXPECT_NE(line.find("15 s left"), std::string::npos) << line;
  EXPECT_NE(line.find("[##########..............................]"), std::string::npos) << line;
}

TEST(ProgressLine, HasNoPercentageWithoutASize) {
  const std::string line = ProgressLine(25 * kMiB, std::nullopt, 5, 200);
  EXPECT_EQ(line, "25.0 MiB  5.0 MiB/s");
}

TEST(ProgressLine, HasNoPercentageWithAWrongSize) {
  EXPECT_EQ(ProgressLine(2 * kMiB, kMiB, 1, 200).find('%'), std::string::npos);
  EXPECT_EQ(ProgressLine(0, 0, 1, 200).find('%'), std::string::npos);
}

TEST(ProgressLine, FitsTheTerminal) {
  for (size_t columns = 0; columns < 120; ++columns) {
    EXPECT_LE(ProgressLine(25 * kMiB, 100 * kMiB, 5, columns).size(), columns);
  }
}

TEST(ProgressLine, EndsAtOneHundred) {
  const std::string line = ProgressLine(kMiB, kMiB, 1, 200);
  EXPECT_NE(line.find("100%"), std::string::npos) << line;
  EXPECT_EQ(line.find("left"), std::string::npos) << line;
}

}  // namespace
}  // namespace moor
