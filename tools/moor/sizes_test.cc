#include "tools/moor/sizes.h"

#include <gtest/gtest.h>

namespace moor {
namespace {

TEST(ParseSize, AcceptsNumbersAndBinaryUnits) {
  EXPECT_EQ(ParseSize("0"), 0u);
  EXPECT_EQ(ParseSize("512"), 512u);
  EXPECT_EQ(ParseSize("512B"), 512u);
  EXPECT_EQ(ParseSize("64K"), 65536u);
  EXPECT_EQ(ParseSize("64k"), 65536u);
  EXPECT_EQ(ParseSize("64KiB"), 65536u);
  EXPECT_EQ(ParseSize("1M"), uint64_t{1} << 20);
  EXPECT_EQ(ParseSize("1G"), uint64_t{1} << 30);
  EXPECT_EQ(ParseSize("3TiB"), uint64_t{3} << 40);
  EXPECT_EQ(ParseSize("18446744073709551615"), UINT64_MAX);
}

TEST(ParseSize, RejectsInvalidText) {
  for (const char* text : {"", "K", "-1", "+1", " 1", "1 ", "0x10", "1.5M", "1KB", "1Q", "1KK",
                           "1 M", "one", "1Ki", "18446744073709551616", "1e3"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(ParseSize, RejectsOverflowByTheUnit) {
  EXPECT_EQ(ParseSize("16777215T"), uint64_t{16777215} << 40);
  EXPECT_EQ(ParseSize("16777216T"), std::nullopt);
  EXPECT_EQ(ParseSize("18014398509481984K"), std::nullopt);
}

// The same texts as FormatBytes of the library (cpp/base/format_test.cc).
TEST(FormatBytes, HasTheUnitAndTheExactNumber) {
  EXPECT_EQ(FormatBytes(0), "0 bytes");
  EXPECT_EQ(FormatBytes(1), "1 byte");
  EXPECT_EQ(FormatBytes(1023), "1023 bytes");
  EXPECT_EQ(FormatBytes(1024), "1 KiB (1,024 bytes)");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB (1,536 bytes)");
  EXPECT_EQ(FormatBytes(16384), "16 KiB (16,384 bytes)");
  EXPECT_EQ(FormatBytes((1 << 20) - 1), "about 1023.9 KiB (1,048,575 bytes)");
  EXPECT_EQ(FormatBytes(uint64_t{5} << 30), "5 GiB (5,368,709,120 bytes)");
  EXPECT_EQ(FormatBytes((uint64_t{8} << 20) + 1), "about 8.0 MiB (8,388,609 bytes)");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "about 15.9 EiB (18,446,744,073,709,551,615 bytes)");
}

TEST(FormatBytesShort, UsesTheLargestUnit) {
  EXPECT_EQ(FormatBytesShort(0), "0 bytes");
  EXPECT_EQ(FormatBytesShort(1), "1 byte");
  EXPECT_EQ(FormatBytesShort(1023), "1023 bytes");
  EXPECT_EQ(FormatBytesShort(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytesShort(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytesShort((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytesShort(uint64_t{5} << 30), "5.0 GiB");
  EXPECT_EQ(FormatBytesShort(UINT64_MAX), "16.0 EiB");
}

TEST(FormatRate, IsADashWithoutTime) {
  EXPECT_EQ(FormatRate(1 << 20, 0), "-");
  EXPECT_EQ(FormatRate(1 << 20, 0.5), "2.0 MiB/s");
}

TEST(FormatSeconds, UsesMillisecondsToHours) {
  EXPECT_EQ(FormatSeconds(0), "0.000 s");
  EXPECT_EQ(FormatSeconds(1.2344), "1.234 s");
  EXPECT_EQ(FormatSeconds(10.4), "10 s");
  EXPECT_EQ(FormatSeconds(59.9), "1:00");
  EXPECT_EQ(FormatSeconds(61), "1:01");
  EXPECT_EQ(FormatSeconds(3723), "1:02:03");
}

}  // namespace
}  // namespace moor
