#include "tools/moor/data_ranges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "tools/moor/descriptor.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// A file of `size` bytes with one MiB of data at each of `offsets`.
Descriptor Sparse(const TemporaryFolder& folder, uint64_t size,
                  const std::vector<uint64_t>& offsets) {
  Descriptor fd(::open(folder.Path("sparse").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
  const std::string data(kMiB, 'x');
  for (const uint64_t offset : offsets) {
    EXPECT_EQ(::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(data.size()));
  }
  return fd;
}

std::vector<DataRange> Collect(DataRanges ranges) {
  std::vector<DataRange> all;
  while (std::optional<DataRange> range = ranges.Next()) {
    all.push_back(*range);
  }
  return all;
}

uint64_t DataBytes(const std::vector<DataRange>& ranges) {
  uint64_t bytes = 0;
  for (const DataRange& range : ranges) {
    bytes += range.hole ? 0 : range.size;
  }
  return bytes;
}

void ExpectContiguous(const std::vector<DataRange>& ranges, uint64_t size) {
  uint64_t offset = 0;
  for (const DataRange& range : ranges) {
    EXPECT_EQ(range.offset, offset);
    EXPECT_GT(range.size, 0u);
    offset += range.size;
  }
  EXPECT_EQ(offset, size);
}

TEST(DataRanges, EmptyFileHasNoRanges) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 0, {});
  EXPECT_TRUE(Collect(DataRanges(fd.get(), 0)).empty());
}

TEST(DataRanges, FileOfHolesIsOneHole) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 64 * kMiB, {});
  const std::vector<DataRange> ranges = Collect(DataRanges(fd.get(), 64 * kMiB));
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_TRUE(ranges[0].hole);
  EXPECT_EQ(ranges[0].size, 64 * kMiB);
}

TEST(DataRanges, FindsDataBetweenHoles) {
  const TemporaryFolder folder;
  const uint64_t size = 65 * kMiB + 1;
  const Descriptor fd = Sparse(folder, size, {8 * kMiB, 32 * kMiB});
  const std::vector<DataRange> ranges = Collect(DataRanges(fd.get(), size));
  ExpectContiguous(ranges, size);
  EXPECT_EQ(ranges.size(), 5u);
  EXPECT_EQ(DataBytes(ranges), 2 * kMiB);
  EXPECT_TRUE(ranges.front().hole);
  EXPECT_TRUE(ranges.back().hole);
}

TEST(DataRanges, FindsDataAtBothEnds) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 16 * kMiB, {0, 15 * kMiB});
  const std::vector<DataRange> ranges = Collect(DataRanges(fd.get(), 16 * kMiB));
  ExpectContiguous(ranges, 16 * kMiB);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_FALSE(ranges.front().hole);
  EXPECT_FALSE(ranges.back().hole);
}

TEST(DataRanges, StopsAtTheGivenSize) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 16 * kMiB, {0, 8 * kMiB});
  const uint64_t size = 8 * kMiB + 4096;
  ExpectContiguous(Collect(DataRanges(fd.get(), size)), size);
}

TEST(DataRanges, ReportsOneDataRangeWithoutFindHoles) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 16 * kMiB, {});
  const std::vector<DataRange> ranges = Collect(DataRanges(fd.get(), 16 * kMiB, false));
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_FALSE(ranges[0].hole);
}

TEST(DataRanges, ReportsATruncatedRangeAsAHole) {
  const TemporaryFolder folder;
  const Descriptor fd = Sparse(folder, 4 * kMiB, {0, kMiB, 2 * kMiB, 3 * kMiB});
  ASSERT_EQ(::ftruncate(fd.get(), kMiB), 0);
  ExpectContiguous(Collect(DataRanges(fd.get(), 4 * kMiB)), 4 * kMiB);
}

}  // namespace
}  // namespace moor
