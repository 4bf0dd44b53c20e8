#include "cpp/base/format.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace mooring {
namespace {

TEST(Format, InsertsArguments) {
  EXPECT_EQ(Format("%s of %u%%", "half", 100u), "half of 100%");
  EXPECT_EQ(Format("%s", ""), "");
}

TEST(Format, LosesNoByteAtAnyLength) {
  // From 256 on, the text is in the heap and not on the stack.
  for (const size_t length : {1u, 254u, 255u, 256u, 257u, 10'000u}) {
    const std::string text(length, 'x');
    EXPECT_EQ(Format("%s", text.c_str()), text) << length;
    EXPECT_EQ(Format("<%s>", text.c_str()), "<" + text + ">") << length;
  }
}

TEST(FormatCount, GroupsDigitsByThree) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(123456), "123,456");
  EXPECT_EQ(FormatCount(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(FormatBytes, WritesMultiplesOfAUnitExactly) {
  EXPECT_EQ(FormatBytes(65536), "64 KiB (65,536 bytes)");
  EXPECT_EQ(FormatBytes(1024), "1 KiB (1,024 bytes)");
  EXPECT_EQ(FormatBytes(8 << 20), "8 MiB (8,388,608 bytes)");
  EXPECT_EQ(FormatBytes(uint64_t{1} << 60), "1 EiB (1,152,921,504,606,846,976 bytes)");
}

TEST(FormatBytes, WritesSmallSizesInBytes) {
  EXPECT_EQ(FormatBytes(0), "0 bytes");
  EXPECT_EQ(FormatBytes(1), "1 byte");
  EXPECT_EQ(FormatBytes(1023), "1023 bytes");
}

TEST(FormatBytes, WritesHalvesExactlyAndOthersAsAbout) {
  EXPECT_EQ(FormatBytes(3 << 19), "1.5 MiB (1,572,864 bytes)");
  EXPECT_EQ(FormatBytes((8 << 20) + 1), "about 8.0 MiB (8,388,609 bytes)");
  EXPECT_EQ(FormatBytes(1 << 10 | 1 << 8), "about 1.2 KiB (1,280 bytes)");
  EXPECT_EQ(FormatBytes((1 << 20) - 1), "about 1023.9 KiB (1,048,575 bytes)");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "about 15.9 EiB (18,446,744,073,709,551,615 bytes)");
}

}  // namespace
}  // namespace mooring
