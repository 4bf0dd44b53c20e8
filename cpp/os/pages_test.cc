#include "cpp/os/pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "cpp/base/checked.h"
#include "testing/support/child_process.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

// The kilobytes or pages of a line of /proc/meminfo; -1 if there is no such line.
long MeminfoField(const std::string& name) {
  std::ifstream meminfo("/proc/meminfo");
  std::string word;
  while (meminfo >> word) {
    long value = -1;
    if (word == name + ":" && meminfo >> value) return value;
  }
  return -1;
}

// True if the kernel is built with transparent huge pages.
bool HasThpFolder() {
  struct stat folder;
  return ::stat("/sys/kernel/mm/transparent_hugepage", &folder) == 0;
}

TEST(PageBytes, MatchesTheKernel) {
  EXPECT_TRUE(IsPowerOfTwo(PageBytes()));
  // The kernel rejects all other offsets.
  void* page = ::mmap(nullptr, 2 * PageBytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  EXPECT_EQ(::munmap(static_cast<char*>(page) + PageBytes() / 2, PageBytes()), -1);
  EXPECT_EQ(::munmap(static_cast<char*>(page) + PageBytes(), PageBytes()), 0);
  EXPECT_EQ(::munmap(page, PageBytes()), 0);
}

TEST(ReadTransparentHugePages, ReportsModeAndSize) {
  SKIP_WITHOUT(HasThpFolder(), "transparent_huge_pages",
               "a kernel built with CONFIG_TRANSPARENT_HUGEPAGE");
  const TransparentHugePages pages = ReadTransparentHugePages();
  EXPECT_TRUE(IsPowerOfTwo(pages.page_bytes)) << pages.page_bytes;
  EXPECT_GT(pages.page_bytes, PageBytes());
  std::ifstream enabled("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  std::getline(enabled, text);
  const char* const kMarks[] = {"unknown", "[never]", "[madvise]", "[always]"};
  EXPECT_NE(text.find(kMarks[static_cast<uint32_t>(pages.mode)]), std::string::npos) << text;
}

TEST(ReadDefaultHugetlbPool, AgreesWithMeminfo) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  const long kilobytes = MeminfoField("Hugepagesize");
  ASSERT_EQ(pool.has_value(), kilobytes > 0);
  SKIP_WITHOUT(pool.has_value(), "hugetlb", "a kernel built with CONFIG_HUGETLBFS");
  EXPECT_EQ(pool->page_bytes, static_cast<uint64_t>(kilobytes) << 10);
  EXPECT_EQ(pool->total, static_cast<uint64_t>(MeminfoField("HugePages_Total")));
  // Free and reserved pages may change between the two reads, but never exceed the total.
  EXPECT_LE(pool->free, pool->total);
  EXPECT_LE(pool->Available(), pool->free);
}

TEST(ReadHugetlbPool, FindsOnlySizesThatTheKernelLists) {
  const std::optional<HugetlbPool> usual = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(usual.has_value(), "hugetlb", "a kernel built with CONFIG_HUGETLBFS");
  ASSERT_TRUE(ReadHugetlbPool(usual->page_bytes).has_value());
  EXPECT_EQ(ReadHugetlbPool(usual->page_bytes)->page_bytes, usual->page_bytes);
  EXPECT_FALSE(ReadHugetlbPool(PageBytes()).has_value());
  EXPECT_FALSE(ReadHugetlbPool(0).has_value());
  EXPECT_FALSE(ReadHugetlbPool(uint64_t{1} << 50).has_value());
}

TEST(HugetlbPool, ExcludesReservedPagesFromAvailableOnes) {
  EXPECT_EQ((HugetlbPool{.total = 10, .free = 7, .reserved = 3}.Available()), 4u);
  EXPECT_EQ((HugetlbPool{.total = 10, .free = 3, .reserved = 3}.Available()), 0u);
  // The numbers are read one after the other, so they may be inconsistent.
  EXPECT_EQ((HugetlbPool{.total = 10, .free = 1, .reserved = 3}.Available()), 0u);
}

TEST(Pages, AreUnknownWithoutProcAndSys) {
  SKIP_WITHOUT(geteuid() == 0, "root", "chroot needs CAP_SYS_CHROOT");
  std::string path = ::testing::TempDir() + "pages_test_root.XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const conformance::ChildResult child = conformance::RunInChild([&]() -> std::string {
    if (::chroot(path.c_str()) != 0) return "cannot chroot";
    if (ReadTransparentHugePages().mode != ThpMode::kUnknown) return "transparent";
    if (ReadTransparentHugePages().page_bytes != 0) return "size of transparent";
    if (ReadDefaultHugetlbPool().has_value()) return "hugetlb";
    return IsPowerOfTwo(PageBytes()) ? "" : "page size";
  });
  ::rmdir(path.c_str());
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring
