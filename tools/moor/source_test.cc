#include "tools/moor/source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/moor/failure.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

constexpr uint64_t kChunk = 1 << 20;

std::shared_ptr<Source> Open(const std::string& path, DirectMode mode = DirectMode::kOff) {
  return Source::Open(FindSource(path), mode, kChunk, std::make_shared<DirectSummary>());
}

TEST(FindSource, RejectsDirectoriesAndMissingFiles) {
  const TemporaryFolder folder;
  EXPECT_THROW(FindSource(folder.Path()), Failure);
  EXPECT_THROW(FindSource(folder.Path("missing")), Failure);
  EXPECT_THROW(FindSource(""), Failure);
}

TEST(Source, RegularFileIsPositionedAndHasASize) {
  const TemporaryFolder folder;
  const std::shared_ptr<Source> source = Open(folder.Write("a", "12345"));
  EXPECT_TRUE(source->positioned());
  EXPECT_EQ(source->size(), 5u);
  EXPECT_FALSE(source->may_have_holes());
}

TEST(Source, ProcFileIsReadToItsEnd) { EXPECT_FALSE(Open("/proc/cpuinfo")->positioned()); }

TEST(Source, DeviceIsReadToItsEnd) { EXPECT_FALSE(Open("/dev/null")->positioned()); }

TEST(Source, DetectsHoles) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", "");
  ASSERT_EQ(::truncate(path.c_str(), 1 << 30), 0);
  EXPECT_TRUE(Open(path)->may_have_holes());
}

TEST(Source, DetectsATruncatedFile) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", std::string(10'000, 'x'));
  const std::shared_ptr<Source> source = Open(path);
  source->CheckNotTruncated();
  ASSERT_EQ(::truncate(path.c_str(), 5'000), 0);
  try {
    source->CheckNotTruncated();
    FAIL() << "the file is shorter now";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.message().find("byte 5000 of 10000"), std::string::npos);
    EXPECT_NE(failure.message().find(path), std::string::npos);
  }
}

TEST(Source, IgnoresAppendedData) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", "12345");
  const std::shared_ptr<Source> source = Open(path);
  folder.Write("a", "1234567890");
  source->CheckNotTruncated();
  EXPECT_EQ(source->size(), 5u);
}

TEST(Source, UnalignedTailIsReadThroughThePageCache) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", std::string(kChunk + 100, 'x'));
  std::shared_ptr<Source> source;
  try {
    source = Open(path, DirectMode::kOn);
  } catch (const Failure& failure) {
    GTEST_SKIP() << "no direct I/O: " << failure.message();
  }
  alignas(4096) static char memory[4096];
  const ReadStep head = source->NextRead(0, kChunk + 100, memory);
  EXPECT_TRUE(head.direct);
  EXPECT_LE(head.size, kChunk + 100);
  EXPECT_GE(head.size, kChunk);
  EXPECT_FALSE(source->NextRead(head.size, kChunk + 100 - head.size, memory).direct);
  EXPECT_FALSE(source->NextRead(1, kChunk, memory).direct);
  EXPECT_FALSE(source->NextRead(0, kChunk, memory + 1).direct);
  EXPECT_FALSE(source->FallBackToBuffered()) << "--direct on must not fall back";
}

TEST(Source, DirectOnFailsIfNotSupported) {
  EXPECT_THROW(Open("/dev/null", DirectMode::kOn), Failure);
}

TEST(Source, AutoFallsBackToBufferedReads) {
  const TemporaryFolder folder;
  const auto summary = std::make_shared<DirectSummary>();
  const std::shared_ptr<Source> source =
      Source::Open(FindSource(folder.Write("a", "12345")), DirectMode::kAuto, kChunk, summary);
  EXPECT_EQ(summary->reason, DirectReason::kSmallFile);
  EXPECT_TRUE(source->FallBackToBuffered());
  EXPECT_FALSE(source->NextRead(0, kChunk, nullptr).direct);
}

}  // namespace
}  // namespace moor
