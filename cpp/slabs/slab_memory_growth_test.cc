// Growth of SlabMemory: new pages are of the same kind, and are added completely or not at all.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "cpp/os/pages.h"
#include "cpp/slabs/slab_memory.h"
#include "cpp/slabs/testing/hugetlb_reservation.h"
#include "testing/support/privileges.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

const SlabOptions kTransparent{.huge_pages = HugePages::kRequire,
                               .huge_page_kind = PageKind::kTransparent};
const SlabOptions kHugetlb{.huge_pages = HugePages::kRequire, .huge_page_kind = PageKind::kHugetlb};

std::unique_ptr<SlabMemory> MustCreate(const SlabOptions& options, uint64_t total_bytes,
                                       uint64_t total_bytes_max) {
  Result<std::unique_ptr<SlabMemory>> made =
      SlabMemory::Create(options, total_bytes, total_bytes_max);
  EXPECT_TRUE(made.ok()) << made.status().message() << "; " << made.status().remedy();
  return made.ok() ? std::move(made).value() : nullptr;
}

bool HasTransparentHugePages() {
  const TransparentHugePages transparent = ReadTransparentHugePages();
  return transparent.mode == ThpMode::kMadvise || transparent.mode == ThpMode::kAlways;
}
constexpr char kThpRemedy[] = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";

TEST(SlabMemoryGrowth, IsOnTransparentHugePagesToTheLastByte) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  const auto memory = MustCreate(kTransparent, 3 * kMebibyte, 16 * kMebibyte);
  for (const uint64_t total : {7 * kMebibyte / 2, 4 * kMebibyte, 9 * kMebibyte, 16 * kMebibyte}) {
    const Status status = memory->Prepare(total);
    ASSERT_TRUE(status.ok()) << status.message();
    memory->Publish();
    EXPECT_EQ(memory->range().size(), total);
    EXPECT_EQ(memory->ReadPages().kind, PageKind::kTransparent);
    EXPECT_EQ(memory->ReadPages().huge_bytes, total);
  }
}

TEST(SlabMemoryGrowth, UsesHugePagesFromTheStartIfTheMaximumIsLarge) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  SKIP_WITHOUT(conformance::IsMemlockExempt(), "CAP_IPC_LOCK", "run as root");
  const SlabOptions options{.huge_page_kind = PageKind::kTransparent};
  const auto memory = MustCreate(options, 64 << 10, 64 * kMebibyte);
  EXPECT_EQ(memory->page_bytes(), ReadTransparentHugePages().page_bytes);
  ASSERT_TRUE(memory->Prepare(8 * kMebibyte).ok());
  memory->Publish();
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kTransparent);
}

TEST(SlabMemoryGrowth, ReturnsDiscardedPagesToTheKernel) {
  SlabOptions options;
  options.huge_pages = HugePages::kNever;
  const auto memory = MustCreate(options, kMebibyte, 64 * kMebibyte);
  std::memset(memory->range().data(), 0x33, memory->range().size());
  const auto resident = [] { return std::stoull(conformance::StatusLine("VmRSS")); };  // kB
  ASSERT_TRUE(memory->Prepare(64 * kMebibyte).ok());
  const uint64_t prepared = resident();
  memory->Discard();
  EXPECT_LT(resident() + (48 << 10), prepared);
  EXPECT_EQ(memory->range().size(), kMebibyte);
  for (const std::byte byte : memory->range()) ASSERT_EQ(byte, std::byte{0x33});
}

// The pool belongs to the machine, so the test does not check how many pages are left in it: other
// processes may use it.
TEST(SlabMemoryGrowth, UsesReservedPagesOnlyWhenItGrows) {
  HugetlbReservation reservation(4);
  SKIP_WITHOUT(reservation.ok(), "hugetlb", reservation.remedy());
  const uint64_t page = ReadDefaultHugetlbPool()->page_bytes;
  const uint64_t too_many = ReadDefaultHugetlbPool()->Available() + 1000;
  const auto memory = MustCreate(kHugetlb, page, too_many * page);
  ASSERT_NE(memory, nullptr) << "it needs pages for its maximum size";
  ASSERT_TRUE(memory->Prepare(3 * page).ok());
  memory->Publish();
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kHugetlb);
  EXPECT_EQ(memory->ReadPages().huge_bytes, 3 * page);
  std::memset(memory->range().data(), 1, memory->range().size());

  const Status status = memory->Prepare(too_many * page);
  EXPECT_EQ(status.code(), Code::kExhausted) << status.message();
  EXPECT_NE(std::string(status.remedy()).find("nr_hugepages"), std::string::npos)
      << status.remedy();
  EXPECT_EQ(memory->range().size(), 3 * page);
  EXPECT_EQ(memory->ReadPages().huge_bytes, 3 * page);
}

}  // namespace
}  // namespace mooring
