#include "cpp/os/proc_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace mooring {
namespace {

class ProcFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "proc_file_test.XXXXXX";
    const int fd = ::mkstemp(path_.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  void Write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }
  std::vector<std::string> Lines(size_t stop_after = SIZE_MAX) {
    std::vector<std::string> lines;
    EXPECT_EQ(ForEachLine(path_.c_str(),
                          [&](std::string_view line) {
                            lines.emplace_back(line);
                            return lines.size() < stop_after;
                          }),
              0);
    return lines;
  }

  std::string path_;
};

TEST(ParseNumber, ReadsTheDigitsAtTheStart) {
  EXPECT_EQ(ParseNumber("42"), 42u);
  EXPECT_EQ(ParseNumber("  2048 kB"), 2048u);
  EXPECT_EQ(ParseNumber("\t7\n"), 7u);
  EXPECT_EQ(ParseNumber("18446744073709551615"), UINT64_MAX);
}

TEST(ParseNumber, RejectsTextWithoutANumberAndNumbersThatAreTooLarge) {
  EXPECT_EQ(ParseNumber(""), std::nullopt);
  EXPECT_EQ(ParseNumber("  "), std::nullopt);
  EXPECT_EQ(ParseNumber("-1"), std::nullopt);
  EXPECT_EQ(ParseNumber("kB 7"), std::nullopt);
  EXPECT_EQ(ParseNumber("18446744073709551616"), std::nullopt);
}

TEST_F(ProcFileTest, ReadsAWholeFile) {
  Write("some\ntext");
  EXPECT_EQ(ReadSmallFile(path_.c_str()), "some\ntext");
  Write("");
  EXPECT_EQ(ReadSmallFile(path_.c_str()), "");
}

TEST_F(ProcFileTest, ReadsAtMost64KiB) {
  Write(std::string(100'000, 'x'));
  EXPECT_EQ(ReadSmallFile(path_.c_str()), std::string(64 << 10, 'x'));
}

TEST_F(ProcFileTest, ReadsANumber) {
  Write("123\n");
  EXPECT_EQ(ReadNumberFile(path_.c_str()), 123u);
  Write("none\n");
  EXPECT_EQ(ReadNumberFile(path_.c_str()), std::nullopt);
}

TEST_F(ProcFileTest, ReportsThatAFileCannotBeRead) {
  EXPECT_EQ(ReadSmallFile("/nowhere/at/all"), std::nullopt);
  EXPECT_EQ(ReadNumberFile("/nowhere/at/all"), std::nullopt);
  EXPECT_EQ(ReadSmallFile("/"), std::nullopt);
  const auto fail = [](std::string_view) {
    ADD_FAILURE() << "a line of a file that cannot be read";
    return false;
  };
  EXPECT_EQ(ForEachLine("/nowhere/at/all", fail), ENOENT);
  EXPECT_EQ(ForEachLine("/", fail), EISDIR);
}

TEST_F(ProcFileTest, VisitsEveryLineOnceAndTheLastWithoutAnEnd) {
  Write("a\n\nbc\nd");
  EXPECT_EQ(Lines(), (std::vector<std::string>{"a", "", "bc", "d"}));
  Write("a\n");
  EXPECT_EQ(Lines(), (std::vector<std::string>{"a"}));
  Write("");
  EXPECT_EQ(Lines(), (std::vector<std::string>{}));
}

TEST_F(ProcFileTest, JoinsLinesThatSpanTwoReads) {
  // 700 lines of at least 7 bytes: the 4 KiB buffer often ends inside a line.
  std::vector<std::string> expected;
  std::string text;
  for (int i = 0; i < 700; ++i) {
    expected.push_back("line " + std::to_string(i) + std::string(static_cast<size_t>(i % 40), '.'));
    text += expected.back() + "\n";
  }
  Write(text);
  EXPECT_EQ(Lines(), expected);
}

TEST_F(ProcFileTest, TruncatesALineThatIsTooLongAndContinuesWithTheNext) {
  Write("short\n" + std::string(20'000, 'x') + "\nafter\n");
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "short");
  EXPECT_EQ(lines[1], std::string(4096, 'x'));
  EXPECT_EQ(lines[2], "after");
}

TEST_F(ProcFileTest, AcceptsALineOfTheMaximumLength) {
  Write(std::string(4095, 'x') + "\n" + std::string(4096, 'y') + "\n" + std::string(4097, 'z') +
        "\nafter");
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], std::string(4095, 'x'));
  EXPECT_EQ(lines[1], std::string(4096, 'y'));
  EXPECT_EQ(lines[2], std::string(4096, 'z'));
  EXPECT_EQ(lines[3], "after");
}

TEST_F(ProcFileTest, StopsWhenTheVisitorReturnsFalse) {
  Write("a\nb\nc\n");
  EXPECT_EQ(Lines(2), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace mooring
