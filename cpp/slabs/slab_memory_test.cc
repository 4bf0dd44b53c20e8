#include "cpp/slabs/slab_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cpp/os/numa.h"
#include "cpp/os/pages.h"
#include "cpp/slabs/testing/hugetlb_reservation.h"
#include "testing/support/child_process.h"
#include "testing/support/privileges.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using conformance::ChildResult;
using conformance::IsMapped;
using conformance::RunInChild;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

std::unique_ptr<SlabMemory> MustCreate(const SlabOptions& options, uint64_t total_bytes) {
  Result<std::unique_ptr<SlabMemory>> made = SlabMemory::Create(options, total_bytes, total_bytes);
  EXPECT_TRUE(made.ok()) << made.status().message() << "; " << made.status().remedy();
  return made.ok() ? std::move(made).value() : nullptr;
}

Status CreateStatus(const SlabOptions& options, uint64_t total_bytes) {
  Result<std::unique_ptr<SlabMemory>> made = SlabMemory::Create(options, total_bytes, total_bytes);
  return made.ok() ? OkStatus() : made.TakeStatus();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// "VmRSS:   1234 kB"
uint64_t ResidentKibibytes() {
  return std::strtoull(conformance::StatusLine("VmRSS").c_str(), nullptr, 10);
}

void ExpectClean(const ChildResult& child) {
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

bool HasTransparentHugePages() {
  const TransparentHugePages transparent = ReadTransparentHugePages();
  return transparent.mode == ThpMode::kMadvise || transparent.mode == ThpMode::kAlways;
}
constexpr char kThpRemedy[] = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";

const SlabOptions kNever{.huge_pages = HugePages::kNever};
const SlabOptions kTransparent{.huge_pages = HugePages::kRequire,
                               .huge_page_kind = PageKind::kTransparent};
const SlabOptions kHugetlb{.huge_pages = HugePages::kRequire, .huge_page_kind = PageKind::kHugetlb};
const SlabOptions kAutoHugetlb{.huge_page_kind = PageKind::kHugetlb};

TEST(SlabMemory, IsZeroWritableAndPageAligned) {
  const std::unique_ptr<SlabMemory> memory = MustCreate(kNever, 3 * 512);
  ASSERT_EQ(memory->range().size(), 3u * 512);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->range().data()) % PageBytes(), 0u);
  for (const std::byte byte : memory->range()) ASSERT_EQ(byte, std::byte{0});
  std::memset(memory->range().data(), 0xa5, memory->range().size());
  EXPECT_FALSE(memory->adopted());
}

TEST(SlabMemory, HasNoHugePagesWithNever) {
  const std::unique_ptr<SlabMemory> memory = MustCreate(kNever, 8 * kMebibyte);
  const SlabMemory::Pages pages = memory->ReadPages();
  EXPECT_EQ(pages.kind, PageKind::kOrdinary);
  EXPECT_EQ(pages.page_bytes, PageBytes());
  EXPECT_EQ(pages.huge_bytes, 0u);
  EXPECT_EQ(memory->page_bytes(), PageBytes());
  EXPECT_EQ(memory->note(), "");
}

TEST(SlabMemory, IsResidentAfterPrefaultAndNotBefore) {
  SlabOptions options = kNever;
  EXPECT_EQ(MustCreate(options, 8 * kMebibyte)->ReadPages().resident_bytes, 8 * kMebibyte);
  options.touch_thread_count = 3;
  EXPECT_EQ(MustCreate(options, 20 * kMebibyte)->ReadPages().resident_bytes, 20 * kMebibyte);
  options.touch = Touch::kNone;
  const std::unique_ptr<SlabMemory> memory = MustCreate(options, 8 * kMebibyte);
  EXPECT_EQ(memory->ReadPages().resident_bytes, 0u);
  EXPECT_EQ(memory->ReadPages().numa_node, -1);
  memory->range()[PageBytes()] = std::byte{1};
  EXPECT_EQ(memory->ReadPages().resident_bytes, PageBytes());
}

TEST(SlabMemory, IsOnTransparentHugePagesWithRequire) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  SlabOptions options = kTransparent;
  // Without prefault and with a part of a page at the end: it is verified too.
  options.touch = Touch::kNone;
  const std::unique_ptr<SlabMemory> memory = MustCreate(options, 5 * kMebibyte + 512);
  const SlabMemory::Pages pages = memory->ReadPages();
  EXPECT_EQ(pages.kind, PageKind::kTransparent);
  EXPECT_EQ(pages.page_bytes, ReadTransparentHugePages().page_bytes);
  EXPECT_EQ(pages.huge_bytes, 5 * kMebibyte + 512);
  EXPECT_EQ(memory->page_bytes(), pages.page_bytes);
  EXPECT_EQ(memory->note(), "");
}

TEST(SlabMemory, UsesTransparentHugePagesWithAuto) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  SKIP_WITHOUT(conformance::IsMemlockExempt(), "CAP_IPC_LOCK", "run as root");
  const SlabOptions options{.huge_page_kind = PageKind::kTransparent};
  const std::unique_ptr<SlabMemory> memory = MustCreate(options, 8 * kMebibyte);
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kTransparent);
  EXPECT_EQ(memory->note(), "");
}

TEST(SlabMemory, UsesBasePagesWithoutANoteForLessThanOneHugePage) {
  const std::unique_ptr<SlabMemory> memory = MustCreate({}, kMebibyte);
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kOrdinary);
  EXPECT_EQ(memory->note(), "");
}

// On a system that offers transparent huge pages but does not provide them.
TEST(SlabMemory, FailsAndUndoesWithoutTheRequiredHugePages) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  ExpectClean(RunInChild([]() -> std::string {
    if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) return "cannot disable them";
    const uint64_t before = ResidentKibibytes();
    const Status status = CreateStatus(kTransparent, 64 * kMebibyte);
    if (status.code() != Code::kExhausted) return std::string("code: ") + CodeName(status.code());
    if (status.retry() != Retry::kAfterRemedy) return "retry class";
    if (!Contains(status.message(), "64 MiB")) return std::string("message: ") + status.message();
    if (!Contains(status.remedy(), "compact_memory"))
      return std::string("remedy: ") + status.remedy();
    // 64 MiB were faulted in.
    return ResidentKibibytes() < before + (32 << 10) ? "" : "its memory remains";
  }));
}

TEST(SlabMemory, NotesThatTransparentHugePagesWereNotProvided) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  SKIP_WITHOUT(conformance::IsMemlockExempt(), "CAP_IPC_LOCK", "run as root");
  ExpectClean(RunInChild([]() -> std::string {
    if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) return "cannot disable them";
    const std::unique_ptr<SlabMemory> memory =
        MustCreate({.huge_page_kind = PageKind::kTransparent}, 8 * kMebibyte);
    if (memory->ReadPages().kind != PageKind::kOrdinary) return "has huge pages";
    return Contains(memory->note(), "transparent") ? "" : "note: " + memory->note();
  }));
}

TEST(SlabMemory, FailsWithTooFewReservedPagesAndReportsTheNumberToSet) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool.has_value(), "hugetlb_kernel", "a kernel built with CONFIG_HUGETLBFS");
  const uint64_t pages = pool->Available() + pool->overcommit + 3;
  const Status status = CreateStatus(kHugetlb, pages * pool->page_bytes);
  EXPECT_EQ(status.code(), Code::kExhausted) << status.message();
  EXPECT_EQ(status.retry(), Retry::kAfterRemedy);
  const uint64_t needed = pool->total - pool->surplus + pages - pool->Available();
  EXPECT_TRUE(Contains(status.remedy(), "vm.nr_hugepages=" + std::to_string(needed)))
      << status.remedy();
}

TEST(SlabMemory, ReportsBothKindsWhenNeitherIsAvailable) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool.has_value(), "hugetlb_kernel", "a kernel built with CONFIG_HUGETLBFS");
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  ExpectClean(RunInChild([&]() -> std::string {
    if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) return "cannot disable them";
    const uint64_t pages = pool->Available() + pool->overcommit + 3;
    const Status status =
        CreateStatus({.huge_pages = HugePages::kRequire}, pages * pool->page_bytes);
    if (status.code() != Code::kExhausted) return std::string("code: ") + CodeName(status.code());
    if (!Contains(status.message(), "reserved") || !Contains(status.message(), "transparent")) {
      return std::string("message: ") + status.message();
    }
    return Contains(status.remedy(), "vm.nr_hugepages=")
               ? ""
               : std::string("remedy: ") + status.remedy();
  }));
}

TEST(SlabMemory, IsOnReservedPagesWithRequire) {
  HugetlbReservation reservation(4);
  SKIP_WITHOUT(reservation.ok(), "hugetlb", reservation.remedy());
  const uint64_t page_bytes = ReadDefaultHugetlbPool()->page_bytes;
  const uint64_t free_before = ReadDefaultHugetlbPool()->free;
  {
    const std::unique_ptr<SlabMemory> memory = MustCreate(kHugetlb, 3 * page_bytes - 512);
    ASSERT_NE(memory, nullptr);
    const SlabMemory::Pages pages = memory->ReadPages();
    EXPECT_EQ(pages.kind, PageKind::kHugetlb);
    EXPECT_EQ(pages.page_bytes, page_bytes);
    EXPECT_EQ(pages.huge_bytes, 3 * page_bytes - 512);
    EXPECT_EQ(memory->range().size(), 3 * page_bytes - 512);
    EXPECT_EQ(ReadDefaultHugetlbPool()->free, free_before - 3);
  }
  EXPECT_EQ(ReadDefaultHugetlbPool()->free, free_before);
}

TEST(SlabMemory, AutoUsesReservedPagesOnlyIfFreeFittingAndPrefaulted) {
  HugetlbReservation reservation(40);
  SKIP_WITHOUT(reservation.ok(), "hugetlb", reservation.remedy());
  SKIP_WITHOUT(conformance::IsMemlockExempt(), "CAP_IPC_LOCK", "run as root");
  const uint64_t page_bytes = ReadDefaultHugetlbPool()->page_bytes;
  EXPECT_EQ(MustCreate({}, 2 * page_bytes)->ReadPages().kind, PageKind::kHugetlb);
  EXPECT_EQ(MustCreate({}, 32 * page_bytes - 512)->ReadPages().kind, PageKind::kHugetlb);

  const std::unique_ptr<SlabMemory> wasteful = MustCreate(kAutoHugetlb, 2 * page_bytes + 512);
  EXPECT_EQ(wasteful->ReadPages().kind, PageKind::kOrdinary);
  EXPECT_TRUE(Contains(wasteful->note(), "waste")) << wasteful->note();

  SlabOptions not_prefaulted = kAutoHugetlb;
  not_prefaulted.touch = Touch::kNone;
  EXPECT_TRUE(Contains(MustCreate(not_prefaulted, 2 * page_bytes)->note(), "MOORING_TOUCH_NONE"));

  const uint64_t available = ReadDefaultHugetlbPool()->Available();
  const std::unique_ptr<SlabMemory> large = MustCreate(kAutoHugetlb, (available + 1) * page_bytes);
  EXPECT_EQ(large->ReadPages().kind, PageKind::kOrdinary);
  EXPECT_TRUE(Contains(large->note(), "vm.nr_hugepages=")) << large->note();
}

bool LimitMemlock(uint64_t soft_bytes) {
  rlimit limit = {};
  if (!conformance::DropIpcLock() || ::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  limit.rlim_cur = soft_bytes;
  return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

TEST(SlabMemory, UsesBasePagesAndNotesItIfHugePagesExceedTheMemlockLimit) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  ExpectClean(RunInChild([]() -> std::string {
    // Huge pages of the slab are charged 6 MiB.
    if (!LimitMemlock(6 * kMebibyte - 1)) return "cannot set the limit";
    const std::unique_ptr<SlabMemory> memory = MustCreate({}, 5 * kMebibyte);
    const SlabMemory::Pages pages = memory->ReadPages();
    if (pages.kind != PageKind::kOrdinary || pages.huge_bytes != 0) return "has huge pages";
    if (memory->page_bytes() != PageBytes()) return "reports huge pages";
    if (!Contains(memory->note(), "RLIMIT_MEMLOCK")) return "note: " + memory->note();
    return Contains(memory->note(), "6 MiB") ? "" : "note without the numbers: " + memory->note();
  }));
}

TEST(SlabMemory, UsesHugePagesIfTheMemlockLimitAllowsThem) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  ExpectClean(RunInChild([]() -> std::string {
    if (!LimitMemlock(6 * kMebibyte)) return "cannot set the limit";
    const std::unique_ptr<SlabMemory> memory = MustCreate({}, 5 * kMebibyte);
    if (memory->ReadPages().kind == PageKind::kOrdinary) return "has base pages";
    return memory->note();
  }));
}

TEST(SlabMemory, UsesRequiredHugePagesWithAnyMemlockLimit) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  ExpectClean(RunInChild([]() -> std::string {
    if (!LimitMemlock(0)) return "cannot set the limit";
    return MustCreate(kTransparent, 4 * kMebibyte)->ReadPages().kind == PageKind::kTransparent
               ? ""
               : "other pages";
  }));
}

TEST(SlabMemory, IsOnTheNodeToWhichItIsBound) {
  SlabOptions options = kNever;
  options.numa_policy = NumaPolicy::kBind;
  const SlabMemory::Pages first = MustCreate(options, 8 * kMebibyte)->ReadPages();
  EXPECT_TRUE(first.numa_node == 0 || first.numa_node == -1) << first.numa_node;
  SKIP_WITHOUT(NodeCount() >= 2 && CheckNode(1).ok(), "numa_nodes",
               "a machine with two memory nodes");
  options.numa_node = 1;
  EXPECT_EQ(MustCreate(options, 8 * kMebibyte)->ReadPages().numa_node, 1);
  options.numa_policy = NumaPolicy::kPrefer;
  EXPECT_EQ(MustCreate(options, 8 * kMebibyte)->ReadPages().numa_node, 1);
}

TEST(SlabMemory, RejectsANodeThatDoesNotExist) {
  for (const NumaPolicy policy : {NumaPolicy::kBind, NumaPolicy::kPrefer}) {
    for (const HugePages huge : {HugePages::kNever, HugePages::kAuto, HugePages::kRequire}) {
      const Status status = CreateStatus(
          {.huge_pages = huge, .numa_policy = policy, .numa_node = 1000}, 4 * kMebibyte);
      EXPECT_TRUE(status.code() == Code::kNotFound || status.code() == Code::kUnsupported)
          << CodeName(status.code()) << ": " << status.message();
      EXPECT_TRUE(Contains(status.message(), "1000")) << status.message();
    }
  }
  EXPECT_NE(MustCreate({.numa_policy = NumaPolicy::kDefault, .numa_node = 1000}, kMebibyte),
            nullptr);
}

TEST(SlabMemory, RejectsMoreThanTheAddressSpace) {
  EXPECT_EQ(CreateStatus({.touch = Touch::kNone}, uint64_t{1} << 50).code(), Code::kExhausted);
  EXPECT_EQ(CreateStatus({.touch = Touch::kNone}, UINT64_MAX - 511).code(), Code::kInvalidArgument);
}

TEST(SlabMemory, UnmapsWhatItMapped) {
  std::unique_ptr<SlabMemory> memory = MustCreate(kNever, kMebibyte);
  const void* data = memory->range().data();
  ASSERT_TRUE(IsMapped(data));
  memory.reset();
  EXPECT_FALSE(IsMapped(data));
}

TEST(SlabMemory, IsNotInAForkChild) {
  const std::unique_ptr<SlabMemory> memory = MustCreate(kNever, kMebibyte);
  ExpectClean(RunInChild([&]() -> std::string {
    return IsMapped(memory->range().data()) ? "the child has the memory" : "";
  }));
}

TEST(SlabMemory, DoesNotUnmapOtherMemoryInAForkChild) {
  std::unique_ptr<SlabMemory> memory = MustCreate(kNever, kMebibyte);
  ExpectClean(RunInChild([&]() -> std::string {
    void* data = memory->range().data();
    // Without MAP_FIXED_NOREPLACE: another test checks that nothing is mapped there.
    if (::mmap(data, kMebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) != data) {
      return "cannot map there";
    }
    std::memset(data, 0x5a, kMebibyte);
    memory.reset();
    if (!IsMapped(data)) return "unmapped other memory";
    return static_cast<unsigned char*>(data)[kMebibyte - 1] == 0x5a ? "" : "changed other memory";
  }));
  EXPECT_TRUE(IsMapped(memory->range().data()));
}

TEST(AdoptedSlabMemory, BelongsToTheCaller) {
  Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = kMebibyte});
  ASSERT_TRUE(mapping.ok());
  std::byte* data = mapping.value().data();
  data[5] = std::byte{7};
  std::unique_ptr<SlabMemory> memory = SlabMemory::Adopt(data + 1, kMebibyte - 1);
  EXPECT_TRUE(memory->adopted());
  EXPECT_EQ(memory->range().data(), data + 1);
  EXPECT_EQ(memory->range().size(), kMebibyte - 1);
  EXPECT_EQ(memory->ReadPages().resident_bytes, PageBytes() - 1) << "Adopt has faulted in pages";
  memory.reset();
  ASSERT_TRUE(IsMapped(data));
  EXPECT_EQ(data[5], std::byte{7});
  // Adopt gave no advice on it either, so a child inherits it.
  ExpectClean(
      RunInChild([&]() -> std::string { return data[5] == std::byte{7} ? "" : "changed"; }));
}

TEST(AdoptedSlabMemory, ReportsItsTransparentHugePages) {
  SKIP_WITHOUT(HasTransparentHugePages(), "transparent_huge_pages", kThpRemedy);
  const std::unique_ptr<SlabMemory> owner = MustCreate(kTransparent, 4 * kMebibyte);
  const std::unique_ptr<SlabMemory> memory =
      SlabMemory::Adopt(owner->range().data(), 4 * kMebibyte);
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kTransparent);
  EXPECT_EQ(memory->ReadPages().huge_bytes, 4 * kMebibyte);
  EXPECT_EQ(memory->page_bytes(), ReadTransparentHugePages().page_bytes);
}

TEST(AdoptedSlabMemory, ReportsItsReservedHugePages) {
  HugetlbReservation reservation(2);
  SKIP_WITHOUT(reservation.ok(), "hugetlb", reservation.remedy());
  const uint64_t page_bytes = ReadDefaultHugetlbPool()->page_bytes;
  const std::unique_ptr<SlabMemory> owner = MustCreate(kHugetlb, 2 * page_bytes);
  ASSERT_NE(owner, nullptr);
  const std::unique_ptr<SlabMemory> memory =
      SlabMemory::Adopt(owner->range().data(), 2 * page_bytes);
  EXPECT_EQ(memory->ReadPages().kind, PageKind::kHugetlb);
  EXPECT_EQ(memory->page_bytes(), page_bytes);
}

}  // namespace
}  // namespace mooring
