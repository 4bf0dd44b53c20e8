#include "tools/moor/destination.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/moor/failure.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

class DestinationTest : public testing::Test {
 protected:
  DestinationPath Find(const std::string& to) {
    return FindDestination(FindSource(source_path_), to);
  }

  std::shared_ptr<Source> OpenSource() {
    return Source::Open(FindSource(source_path_), DirectMode::kOff, 4096,
                        std::make_shared<DirectSummary>());
  }

  static void Fill(const Destination& destination, const std::string& text) {
    ASSERT_EQ(::pwrite(destination.fd(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
  }

  TemporaryFolder folder_;
  std::string source_path_ = folder_.Write("source", "12345");
};

TEST_F(DestinationTest, GetsItsNameOnlyWhenComplete) {
  const std::shared_ptr<Source> source = OpenSource();
  Destination destination(Find(folder_.Path("copy")));
  Fill(destination, "12345");
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("copy")));
  EXPECT_EQ(folder_.FileCount(), 2u);
  destination.Commit(*source, 5, true);
  EXPECT_EQ(folder_.Read(folder_.Path("copy")), "12345");
  EXPECT_EQ(folder_.FileCount(), 2u);
}

TEST_F(DestinationTest, DeletesTheTemporaryFileWithoutCommit) {
  folder_.Write("copy", "old");
  {
    Destination destination(Find(folder_.Path("copy")));
    Fill(destination, "new");
  }
  EXPECT_EQ(folder_.Read(folder_.Path("copy")), "old");
  EXPECT_EQ(folder_.FileCount(), 2u);
}

TEST_F(DestinationTest, KeepsModeAndTimes) {
  const struct timespec times[2] = {{1'000'000'000, 123'456'789}, {1'100'000'000, 987'654'321}};
  ASSERT_EQ(::chmod(source_path_.c_str(), 0741), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, source_path_.c_str(), times, 0), 0);
  const std::shared_ptr<Source> source = OpenSource();
  Destination destination(Find(folder_.Path("copy")));
  destination.Commit(*source, 0, false);
  struct stat status {};
  ASSERT_EQ(::stat(folder_.Path("copy").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0741u);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'100'000'000);
  EXPECT_EQ(status.st_mtim.tv_nsec, 987'654'321);
  EXPECT_EQ(status.st_atim.tv_sec, 1'000'000'000);
}

TEST_F(DestinationTest, UsesTheSourceNameInADirectory) {
  std::filesystem::create_directory(folder_.Path("d"));
  for (const char* name : {"d", "d/", "d//"}) {
    const DestinationPath path = Find(folder_.Path(name));
    EXPECT_EQ(path.name, "source");
    EXPECT_EQ(std::filesystem::canonical(path.directory),
              std::filesystem::canonical(folder_.Path("d")));
  }
}

TEST_F(DestinationTest, RejectsTheSourceUnderAnyName) {
  std::filesystem::create_symlink(source_path_, folder_.Path("symbolic"));
  std::filesystem::create_hard_link(source_path_, folder_.Path("hard"));
  for (const char* name : {"source", "symbolic", "hard", "./source", ""}) {
    EXPECT_THROW(Find(folder_.Path(name)), Failure) << name;
  }
}

TEST_F(DestinationTest, RejectsPathsThatCannotBeReplaced) {
  std::filesystem::create_directories(folder_.Path("d/source"));
  std::filesystem::create_symlink(folder_.Path("nowhere"), folder_.Path("dangling"));
  for (const char* name : {"d", "dangling", "missing/copy", "missing/", "source/copy"}) {
    EXPECT_THROW(Find(folder_.Path(name)), Failure) << name;
  }
  EXPECT_THROW(Find(""), Failure);
}

TEST_F(DestinationTest, ReplacesTheTargetOfALink) {
  std::filesystem::create_directory(folder_.Path("d"));
  folder_.Write("d/target", "old");
  std::filesystem::create_symlink("d/target", folder_.Path("link"));
  const std::shared_ptr<Source> source = OpenSource();
  Destination destination(Find(folder_.Path("link")));
  Fill(destination, "12345");
  destination.Commit(*source, 5, false);
  EXPECT_TRUE(std::filesystem::is_symlink(folder_.Path("link")));
  EXPECT_EQ(folder_.Read(folder_.Path("d/target")), "12345");
}

TEST_F(DestinationTest, WritesDirectlyToADevice) {
  const DestinationPath path = Find("/dev/null");
  EXPECT_FALSE(path.is_file);
  Destination destination(path);
  destination.Commit(*OpenSource(), 5, false);
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST_F(DestinationTest, TruncatesReservedSpaceToTheSize) {
  Destination destination(Find(folder_.Path("copy")));
  destination.Reserve(0, 1 << 20);
  destination.Commit(*OpenSource(), 5, false);
  EXPECT_EQ(std::filesystem::file_size(folder_.Path("copy")), 5u);
}

TEST(TemporaryName, IsHiddenAndLimitedInLength) {
  EXPECT_EQ(TemporaryName("name", 255, "abcdef"), ".name.moor-abcdef");
  const std::string name = TemporaryName(std::string(255, 'x'), 255, "abcdef");
  EXPECT_EQ(name.size(), 255u);
  EXPECT_EQ(name.substr(243), ".moor-abcdef");
}

}  // namespace
}  // namespace moor
