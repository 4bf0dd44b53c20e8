#include "tools/moor/direct_policy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/moor/descriptor.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

constexpr uint64_t kFileBytes = 8 << 20;

TEST(DirectPolicy, AlignmentIsAPowerOfTwo) {
  const TemporaryFolder folder;
  const Descriptor fd(
      ::open(folder.Write("a", std::string(4096, 'x')).c_str(), O_RDONLY | O_CLOEXEC));
  const std::optional<DirectAlignment> alignment = FindDirectAlignment(fd.get());
  if (!alignment) {
    GTEST_SKIP() << "this filesystem has no direct I/O";
  }
  EXPECT_EQ(alignment->memory & (alignment->memory - 1), 0u);
  EXPECT_EQ(alignment->offset & (alignment->offset - 1), 0u);
  EXPECT_GE(alignment->offset, 1u);
}

TEST(DirectPolicy, NewlyWrittenFileIsCached) {
  const TemporaryFolder folder;
  const Descriptor fd(
      ::open(folder.Write("a", std::string(kFileBytes, 'x')).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(IsMostlyCached(fd.get(), kFileBytes));
}

TEST(DirectPolicy, EvictedFileIsNotCached) {
  const TemporaryFolder folder;
  const Descriptor fd(
      ::open(folder.Write("a", std::string(kFileBytes, 'x')).c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::fsync(fd.get()), 0);
  ASSERT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  if (!FindDirectAlignment(fd.get())) {
    GTEST_SKIP() << "the filesystem is in memory and does not evict pages";
  }
  EXPECT_FALSE(IsMostlyCached(fd.get(), kFileBytes));
}

TEST(DirectSummary, KeepsTheFirstReasonOfANonEmptyFile) {
  DirectSummary summary;
  summary.Record(DirectReason::kEmpty);
  summary.Record(DirectReason::kNone);
  EXPECT_EQ(summary.reason, DirectReason::kEmpty);
  summary.Record(DirectReason::kCached);
  summary.Record(DirectReason::kSmallFile);
  EXPECT_EQ(summary.reason, DirectReason::kCached);
}

TEST(DirectReason, NamesMatchTheManual) {
  EXPECT_STREQ(DirectReasonName(DirectReason::kNone), "none");
  EXPECT_STREQ(DirectReasonName(DirectReason::kPolicy), "policy");
  EXPECT_STREQ(DirectReasonName(DirectReason::kNotRegular), "not_regular");
  EXPECT_STREQ(DirectReasonName(DirectReason::kEmpty), "empty");
  EXPECT_STREQ(DirectReasonName(DirectReason::kSmallFile), "small_file");
  EXPECT_STREQ(DirectReasonName(DirectReason::kCached), "cached");
  EXPECT_STREQ(DirectReasonName(DirectReason::kNotSupported), "not_supported");
  EXPECT_STREQ(DirectReasonName(DirectReason::kNotAligned), "not_aligned");
  EXPECT_STREQ(DirectReasonName(DirectReason::kRefused), "refused");
}

}  // namespace
}  // namespace moor
