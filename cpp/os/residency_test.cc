#include "cpp/os/residency.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "cpp/os/mapping.h"
#include "cpp/os/pages.h"
#include "cpp/os/proc_file.h"
#include "testing/support/child_process.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using residency_internal::HugeBytesFromPagemap;
using residency_internal::HugeBytesFromSmaps;

constexpr uint64_t kMegabyte = 1 << 20;

Mapping MustMap(uint64_t size_bytes) {
  Result<Mapping> mapping =
      Mapping::Anonymous({.size_bytes = size_bytes, .alignment_bytes = 2 * kMegabyte});
  EXPECT_TRUE(mapping.ok()) << mapping.status().message();
  return std::move(mapping).value();
}

// Base pages only, so exactly the accessed pages are resident.
Mapping MustMapBasePages(uint64_t size_bytes) {
  Mapping mapping = MustMap(size_bytes);
  EXPECT_TRUE(mapping.AdviseHugePages(HugePageAdvice::kAvoid).ok());
  return mapping;
}

uint64_t Must(Result<uint64_t> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result.value() : UINT64_MAX;
}

TEST(ResidentBytes, CountsOnlyAccessedPages) {
  const Mapping mapping = MustMapBasePages(64 * PageBytes());
  EXPECT_EQ(Must(ResidentBytes(mapping.range())), 0u);
  for (const uint64_t page : {0u, 7u, 63u}) mapping.data()[page * PageBytes() + 5] = std::byte{1};
  EXPECT_EQ(Must(ResidentBytes(mapping.range())), 3 * PageBytes());
}

TEST(ResidentBytes, CountsThePartOfAPageThatIsInTheRange) {
  const Mapping mapping = MustMapBasePages(4 * PageBytes());
  std::memset(mapping.data(), 1, 2 * PageBytes());
  const auto resident = [&](uint64_t offset, uint64_t size) {
    return Must(ResidentBytes(mapping.range().subspan(offset, size)));
  };
  EXPECT_EQ(resident(100, 50), 50u);
  EXPECT_EQ(resident(PageBytes() - 10, 20), 20u);
  EXPECT_EQ(resident(2 * PageBytes() - 10, 20), 10u);
  EXPECT_EQ(resident(2 * PageBytes(), 20), 0u);
  EXPECT_EQ(resident(0, 0), 0u);
}

TEST(ResidentBytes, CountsToTheEndOfALongRange) {
  // Longer than one system call covers (64 MiB of base pages).
  const Mapping mapping = MustMapBasePages(200 * kMegabyte);
  mapping.range().front() = std::byte{1};
  mapping.range()[100 * kMegabyte] = std::byte{1};
  mapping.range().back() = std::byte{1};
  EXPECT_EQ(Must(ResidentBytes(mapping.range())), 3 * PageBytes());
}

TEST(ResidentBytes, RejectsUnmappedMemory) {
  const Mapping mapping = MustMap(4 * PageBytes());
  ASSERT_EQ(::munmap(mapping.data() + PageBytes(), PageBytes()), 0);
  const Result<uint64_t> resident = ResidentBytes(mapping.range());
  ASSERT_FALSE(resident.ok());
  EXPECT_EQ(resident.status().system_error(), ENOMEM);
  EXPECT_STRNE(resident.status().remedy(), "");
}

TEST(HugeBytes, IsZeroWithoutHugePages) {
  const Mapping mapping = MustMapBasePages(8 * kMegabyte);
  EXPECT_EQ(Must(HugeBytes(mapping.range())), 0u);
  std::memset(mapping.data(), 1, mapping.size_bytes());
  EXPECT_EQ(Must(HugeBytes(mapping.range())), 0u);
  EXPECT_EQ(Must(HugeBytesFromSmaps(mapping.range())), 0u);
  EXPECT_EQ(Must(HugeBytes({})), 0u);
}

// A mapping in which every second huge page was accessed. Empty if the kernel provided base pages.
class HugePagesTest : public testing::Test {
 protected:
  static constexpr uint64_t kPages = 140;

  void SetUp() override {
    const TransparentHugePages pages = ReadTransparentHugePages();
    const bool enabled = pages.mode == ThpMode::kMadvise || pages.mode == ThpMode::kAlways;
    SKIP_WITHOUT(enabled && pages.page_bytes == 2 * kMegabyte, "transparent_huge_pages",
                 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    mapping_ = MustMap(kPages * kPage);
    ASSERT_TRUE(mapping_.AdviseHugePages(HugePageAdvice::kUse).ok());
    for (uint64_t page = 0; page < kPages; page += 2) mapping_.data()[page * kPage] = std::byte{1};
    const uint64_t resident = Must(ResidentBytes(mapping_.range()));
    SKIP_WITHOUT(resident == kPages / 2 * kPage, "free_huge_pages",
                 "memory is too fragmented: echo 1 > /proc/sys/vm/compact_memory");
  }

  static constexpr uint64_t kPage = 2 * kMegabyte;
  Mapping mapping_;
};

TEST_F(HugePagesTest, AreCountedPerMapping) {
  const uint64_t counted = Must(HugeBytesFromSmaps(mapping_.range()));
  // smaps does not count a page from when it is set up for sampling until its next use.
  if (ReadNumberFile("/proc/sys/kernel/numa_balancing").value_or(0) != 0) {
    EXPECT_LE(counted, kPages / 2 * kPage);
    EXPECT_EQ(counted % kPage, 0u);
  } else {
    EXPECT_EQ(counted, kPages / 2 * kPage);
  }
}

TEST_F(HugePagesTest, AreCountedExactlyByPagemapScan) {
  const Result<uint64_t> whole = HugeBytesFromPagemap(mapping_.range());
  SKIP_WITHOUT(whole.ok(), "pagemap_scan", "a kernel of version 6.8 or later");
  // Seventy separate runs, which are more than one call can report.
  EXPECT_EQ(whole.value(), kPages / 2 * kPage);
  // A part of the mapping, starting and ending inside huge pages, with one untouched between.
  EXPECT_EQ(Must(HugeBytes(mapping_.range().subspan(kPage - 100, kPage + 300))), 100u + 200u);
  EXPECT_EQ(Must(HugeBytes(mapping_.range().subspan(kPage, kPage))), 0u);
  EXPECT_EQ(Must(HugeBytes(mapping_.range().subspan(0, kPage / 2))), kPage / 2);
}

TEST_F(HugePagesTest, NeverCountMoreThanTheRange) {
  const auto range = mapping_.range().subspan(0, kPage / 2);
  EXPECT_LE(Must(HugeBytes(range)), kPage / 2);
  EXPECT_LE(Must(HugeBytesFromSmaps(range)), kPage / 2);
}

TEST(KernelPageBytes, IsTheBasePageSizeForBasePages) {
  const Mapping mapping = MustMap(8 * PageBytes());
  EXPECT_EQ(Must(KernelPageBytes(mapping.range())), PageBytes());
  EXPECT_EQ(Must(KernelPageBytes(mapping.range().subspan(100, 1))), PageBytes());
}

TEST(KernelPageBytes, RejectsUnmappedMemory) {
  const std::byte* gone;
  {
    const Mapping mapping = MustMap(PageBytes());
    gone = mapping.data();
  }
  const Result<uint64_t> page = KernelPageBytes({gone, 1});
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.status().code(), Code::kNotFound);
}

TEST(Residency, IsUnsupportedWithoutProc) {
  SKIP_WITHOUT(geteuid() == 0, "root", "chroot needs CAP_SYS_CHROOT");
  std::string path = ::testing::TempDir() + "residency_test_root.XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const Mapping mapping = MustMap(PageBytes());
  const conformance::ChildResult child = conformance::RunInChild([&]() -> std::string {
    if (::chroot(path.c_str()) != 0) return "cannot chroot";
    for (const auto& result : {HugeBytes(mapping.range()), KernelPageBytes(mapping.range())}) {
      if (result.ok()) return "a result without a source";
      if (result.status().code() != Code::kUnsupported) return result.status().message();
    }
    return ResidentBytes(mapping.range()).ok() ? "" : "mincore needs no /proc";
  });
  ::rmdir(path.c_str());
  EXPECT_EQ(child.complaint, "");
}

TEST(Residency, WithoutDescriptorsIsExhaustedAndNotUnsupported) {
  const Mapping mapping = MustMap(PageBytes());
  const conformance::ChildResult child = conformance::RunInChild([&]() -> std::string {
    const rlimit none = {0, 0};
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return "setrlimit";
    const Result<uint64_t> page = KernelPageBytes(mapping.range());
    if (page.ok()) return "a result without a source";
    return page.status().code() == Code::kExhausted ? "" : page.status().message();
  });
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring
