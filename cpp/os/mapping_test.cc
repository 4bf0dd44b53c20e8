#include "cpp/os/mapping.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/pages.h"
#include "cpp/os/proc_file.h"
#include "cpp/os/residency.h"
#include "cpp/os/testing/refuse_call.h"
#include "testing/support/child_process.h"
#include "testing/support/privileges.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using conformance::IsMapped;
using conformance::RunInChild;

constexpr uint64_t kMegabyte = 1 << 20;

bool Contains(const char* text, const std::string& part) {
  return std::string(text).find(part) != std::string::npos;
}

Mapping MustMap(const Mapping::AnonymousOptions& options) {
  Result<Mapping> mapping = Mapping::Anonymous(options);
  EXPECT_TRUE(mapping.ok()) << mapping.status().message();
  return std::move(mapping).value();
}

// The flags of the mapping that contains `address`: "rd wr mr mw me ac hg " (proc(5), VmFlags).
std::string FlagsOf(const void* address) {
  const uint64_t wanted = reinterpret_cast<uintptr_t>(address);
  std::string flags;
  bool inside = false;
  ForEachLine("/proc/self/smaps", [&](std::string_view line) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(std::string(line).c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      flags = line.substr(std::strlen("VmFlags:"));
      return false;
    }
    return true;
  });
  return flags + " ";
}

TEST(AnonymousMapping, HasWholeWritablePagesOfZeroes) {
  const Mapping mapping = MustMap({.size_bytes = PageBytes() + 1});
  EXPECT_EQ(mapping.size_bytes(), 2 * PageBytes());
  EXPECT_EQ(mapping.page_bytes(), PageBytes());
  EXPECT_FALSE(mapping.hugetlb());
  EXPECT_TRUE(IsAligned(reinterpret_cast<uintptr_t>(mapping.data()), PageBytes()));
  for (std::byte& byte : mapping.range()) {
    ASSERT_EQ(byte, std::byte{0});
    byte = std::byte{0xA5};
  }
}

TEST(AnonymousMapping, HasTheRequestedAlignment) {
  for (uint64_t alignment = PageBytes(); alignment <= 64 * kMegabyte; alignment *= 2) {
    const Mapping mapping = MustMap({.size_bytes = PageBytes(), .alignment_bytes = alignment});
    EXPECT_TRUE(IsAligned(reinterpret_cast<uintptr_t>(mapping.data()), alignment)) << alignment;
    EXPECT_EQ(mapping.size_bytes(), PageBytes());
  }
  EXPECT_EQ(MustMap({.size_bytes = 1, .alignment_bytes = 1}).size_bytes(), PageBytes());
}

TEST(AnonymousMapping, UnmapsTheExcessOfTheAlignment) {
  const auto address_space_pages = [] { return ReadNumberFile("/proc/self/statm").value_or(0); };
  const uint64_t before = address_space_pages();
  const Mapping mapping =
      MustMap({.size_bytes = 3 * PageBytes(), .alignment_bytes = uint64_t{1} << 30});
  // Other code may allocate a little. The GiB must not remain.
  EXPECT_LT(address_space_pages() - before, (64 * kMegabyte) / PageBytes());
}

TEST(AnonymousMapping, UsesNoMemoryUntilFirstUse) {
  const Mapping mapping = MustMap({.size_bytes = 64 * kMegabyte});
  const Result<uint64_t> resident = ResidentBytes(mapping.range());
  ASSERT_TRUE(resident.ok());
  EXPECT_EQ(resident.value(), 0u);
}

TEST(AnonymousMapping, IsUnmappedByItsDestructor) {
  void* data;
  {
    const Mapping mapping = MustMap({.size_bytes = kMegabyte, .alignment_bytes = 2 * kMegabyte});
    data = mapping.data();
    EXPECT_TRUE(IsMapped(data));
  }
  EXPECT_FALSE(IsMapped(data));
}

TEST(AnonymousMapping, RejectsInvalidSizes) {
  const Mapping::AnonymousOptions kOptions[] = {
      {.size_bytes = 0},
      {.size_bytes = UINT64_MAX},
      {.size_bytes = UINT64_MAX - PageBytes() + 1},
      {.size_bytes = uint64_t{1} << 63},
      {.size_bytes = PageBytes(), .alignment_bytes = 3 * PageBytes()},
      {.size_bytes = PageBytes(), .alignment_bytes = uint64_t{1} << 63},
  };
  for (const Mapping::AnonymousOptions& options : kOptions) {
    const Result<Mapping> mapping = Mapping::Anonymous(options);
    ASSERT_FALSE(mapping.ok()) << options.size_bytes << " at " << options.alignment_bytes;
    EXPECT_EQ(mapping.status().code(), Code::kInvalidArgument) << mapping.status().message();
    EXPECT_STRNE(mapping.status().remedy(), "");
  }
}

TEST(AnonymousMapping, ReportsTheSizeAndTheLimitWhenAddressSpaceIsFull) {
  const conformance::ChildResult child = RunInChild([]() -> std::string {
    // More than is mapped now, because sanitizers map terabytes.
    const uint64_t limit =
        ReadNumberFile("/proc/self/statm").value_or(0) * PageBytes() + 256 * kMegabyte;
    const rlimit address_space = {limit, limit};
    if (::setrlimit(RLIMIT_AS, &address_space) != 0) return "cannot set RLIMIT_AS";
    const Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = 512 * kMegabyte});
    if (mapping.ok()) return "mapped more than the limit";
    const Status& status = mapping.status();
    if (status.code() != Code::kExhausted) return CodeName(status.code());
    if (status.system_error() != ENOMEM) return "errno " + std::to_string(status.system_error());
    if (status.retry() != Retry::kAfterRemedy) return "wrong retry class";
    if (!Contains(status.message(), "512 MiB (536,870,912 bytes)")) return status.message();
    if (!Contains(status.remedy(), "RLIMIT_AS")) return status.remedy();
    if (!Contains(status.remedy(), FormatBytes(limit))) return status.remedy();
    return "";
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(AnonymousMapping, DistinguishesMlockallFromLackOfMemory) {
  const conformance::ChildResult child = RunInChild([]() -> std::string {
    if (!conformance::DropIpcLock()) return "cannot drop CAP_IPC_LOCK";
    const rlimit memlock = {1 << 20, 1 << 20};
    if (::setrlimit(RLIMIT_MEMLOCK, &memlock) != 0) return "cannot set RLIMIT_MEMLOCK";
    // By number, because sanitizers make mlockall(3) do nothing.
    if (::syscall(SYS_mlockall, MCL_FUTURE) != 0) return "cannot mlockall";
    const Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = 64 * kMegabyte});
    if (mapping.ok()) return "mapped more than the limit";
    if (mapping.status().code() != Code::kMemlockLimit) return mapping.status().message();
    return Contains(mapping.status().message(), "mlockall") ? "" : mapping.status().message();
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(Mapping, MovesOwnership) {
  static_assert(!std::is_copy_constructible_v<Mapping> && !std::is_copy_assignable_v<Mapping>);
  Mapping first = MustMap({.size_bytes = kMegabyte});
  void* const first_data = first.data();
  Mapping second = MustMap({.size_bytes = 2 * kMegabyte});
  void* const second_data = second.data();

  second = std::move(first);
  EXPECT_EQ(second.data(), first_data);
  EXPECT_EQ(second.size_bytes(), kMegabyte);
  EXPECT_FALSE(IsMapped(second_data));
  EXPECT_EQ(first.data(), nullptr);  // NOLINT: use after move is intended
  EXPECT_EQ(first.size_bytes(), 0u);

  Mapping& same = second;
  second = std::move(same);
  EXPECT_EQ(second.data(), first_data);
  EXPECT_TRUE(IsMapped(first_data));
  const Mapping third(std::move(second));
  EXPECT_EQ(third.data(), first_data);
}

TEST(Mapping, DefaultConstructedIsEmptyAndAcceptsAnyAdvice) {
  Mapping nothing;
  EXPECT_EQ(nothing.data(), nullptr);
  EXPECT_TRUE(nothing.range().empty());
  EXPECT_TRUE(nothing.DontFork().ok());
  EXPECT_TRUE(nothing.AdviseHugePages(HugePageAdvice::kUse).ok());
}

TEST(Mapping, IsNotInAForkChildAfterDontFork) {
  Mapping kept = MustMap({.size_bytes = kMegabyte});
  Mapping inherited = MustMap({.size_bytes = kMegabyte});
  kept.range().front() = std::byte{1};
  inherited.range().front() = std::byte{2};
  ASSERT_TRUE(kept.DontFork().ok());
  const conformance::ChildResult child = RunInChild([&]() -> std::string {
    if (IsMapped(kept.data())) return "the child has the mapping";
    if (!IsMapped(inherited.data())) return "the child does not have the other mapping";
    return inherited.range().front() == std::byte{2} ? "" : "the child has other bytes";
  });
  EXPECT_EQ(child.complaint, "");
  EXPECT_EQ(kept.range().front(), std::byte{1});
}

TEST(Mapping, DoesNotUnmapARangeAfterForget) {
  std::span<std::byte> range;
  {
    Mapping mapping = MustMap({.size_bytes = kMegabyte});
    range = mapping.range();
    mapping.Forget();
    EXPECT_EQ(mapping.data(), nullptr);
    EXPECT_TRUE(mapping.range().empty());
  }
  EXPECT_TRUE(IsMapped(range.data()));
  EXPECT_EQ(::munmap(range.data(), range.size()), 0);
}

TEST(Mapping, PassesAdviceToTheKernel) {
  SKIP_WITHOUT(ReadTransparentHugePages().mode != ThpMode::kUnknown, "transparent_huge_pages",
               "a kernel built with CONFIG_TRANSPARENT_HUGEPAGE");
  Mapping mapping = MustMap({.size_bytes = 4 * kMegabyte, .alignment_bytes = 2 * kMegabyte});
  ASSERT_TRUE(mapping.AdviseHugePages(HugePageAdvice::kUse).ok());
  EXPECT_TRUE(Contains(FlagsOf(mapping.data()).c_str(), " hg ")) << FlagsOf(mapping.data());
  ASSERT_TRUE(mapping.AdviseHugePages(HugePageAdvice::kAvoid).ok());
  EXPECT_TRUE(Contains(FlagsOf(mapping.data()).c_str(), " nh ")) << FlagsOf(mapping.data());
}

TEST(Mapping, HasNoHugePagesAfterAdviceToAvoidThem) {
  Mapping mapping = MustMap({.size_bytes = 8 * kMegabyte, .alignment_bytes = 2 * kMegabyte});
  ASSERT_TRUE(mapping.AdviseHugePages(HugePageAdvice::kAvoid).ok());
  std::memset(mapping.data(), 1, mapping.size_bytes());
  const Result<uint64_t> huge = HugeBytes(mapping.range());
  ASSERT_TRUE(huge.ok()) << huge.status().message();
  EXPECT_EQ(huge.value(), 0u);
}

TEST(Mapping, ReportsWhyAdviceFailed) {
  const conformance::ChildResult child = RunInChild([]() -> std::string {
    Mapping mapping = MustMap({.size_bytes = 4 * kMegabyte});
    // A kernel without transparent huge pages returns EINVAL.
    for (const int advice : {MADV_HUGEPAGE, MADV_NOHUGEPAGE}) {
      if (!RefuseCall({.number = SYS_madvise,
                       .when = RefusedCall::When::kArgumentIs,
                       .argument = 2,
                       .value = static_cast<uint32_t>(advice),
                       .error = EINVAL})) {
        return "cannot install a filter";
      }
    }
    const Status use = mapping.AdviseHugePages(HugePageAdvice::kUse);
    if (use.code() != Code::kUnsupported) return std::string("use: ") + use.message();
    const Status avoid = mapping.AdviseHugePages(HugePageAdvice::kAvoid);
    if (!avoid.ok()) return std::string("avoid: ") + avoid.message();
    if (!RefuseCall({.number = SYS_madvise, .error = EPERM})) return "cannot install a filter";
    const Status fork = mapping.DontFork();
    return fork.code() == Code::kPermission ? "" : std::string("fork: ") + fork.message();
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(HugetlbMapping, RejectsInvalidSizes) {
  for (const Mapping::HugetlbOptions& options :
       {Mapping::HugetlbOptions{.size_bytes = 0},
        Mapping::HugetlbOptions{.size_bytes = 1, .page_bytes = 3}}) {
    const Result<Mapping> mapping = Mapping::Hugetlb(options);
    ASSERT_FALSE(mapping.ok());
    EXPECT_EQ(mapping.status().code(), Code::kInvalidArgument) << mapping.status().message();
  }
}

TEST(HugetlbMapping, ReportsThePageSizeThatTheKernelDoesNotHave) {
  const Result<Mapping> mapping =
      Mapping::Hugetlb({.size_bytes = 1, .page_bytes = uint64_t{1} << 50});
  ASSERT_FALSE(mapping.ok());
  EXPECT_EQ(mapping.status().code(), Code::kUnsupported);
  EXPECT_TRUE(Contains(mapping.status().message(), "1 PiB")) << mapping.status().message();
}

TEST(HugetlbMapping, ReportsTheSysctlAndTheNumberToSet) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool.has_value(), "hugetlb", "a kernel built with CONFIG_HUGETLBFS");
  // More than the pool has and than the kernel may add on demand.
  const uint64_t wanted = pool->total + pool->overcommit + 1000;
  const Result<Mapping> mapping = Mapping::Hugetlb({.size_bytes = wanted * pool->page_bytes});
  ASSERT_FALSE(mapping.ok());
  const Status& status = mapping.status();
  EXPECT_EQ(status.code(), Code::kExhausted);
  EXPECT_EQ(status.retry(), Retry::kAfterRemedy);
  EXPECT_EQ(status.system_error(), ENOMEM);
  EXPECT_TRUE(Contains(status.message(), FormatBytes(wanted * pool->page_bytes)))
      << status.message();
  EXPECT_TRUE(Contains(status.message(), FormatCount(wanted) + " pages")) << status.message();
  const uint64_t needed = pool->total - pool->surplus + wanted - pool->Available();
  EXPECT_TRUE(Contains(status.remedy(), "vm.nr_hugepages=" + std::to_string(needed)))
      << status.remedy();
}

TEST(HugetlbMapping, HasHugePages) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool && pool->Available() >= 2, "huge_pages", "sysctl vm.nr_hugepages=2");
  void* data;
  {
    Result<Mapping> mapping = Mapping::Hugetlb({.size_bytes = pool->page_bytes + 1});
    ASSERT_TRUE(mapping.ok()) << mapping.status().message();
    Mapping& owner = mapping.value();
    data = owner.data();
    EXPECT_TRUE(owner.hugetlb());
    EXPECT_EQ(owner.size_bytes(), 2 * pool->page_bytes);
    EXPECT_EQ(owner.page_bytes(), pool->page_bytes);
    const Result<uint64_t> page = KernelPageBytes(owner.range());
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page.value(), pool->page_bytes);
    EXPECT_EQ(owner.AdviseHugePages(HugePageAdvice::kUse).code(), Code::kUnsupported);
    std::memset(owner.data(), 1, owner.size_bytes());
    const Result<uint64_t> huge = HugeBytes(owner.range());
    ASSERT_TRUE(huge.ok());
    EXPECT_EQ(huge.value(), owner.size_bytes());
  }
  EXPECT_FALSE(IsMapped(data));
}

TEST(ReserveOnlyMapping, IsAddressSpaceUntilCommit) {
  Mapping mapping = MustMap({.size_bytes = uint64_t{1} << 34, .reserve_only = true});
  ASSERT_TRUE(mapping.DontFork().ok());
  std::byte* const piece = mapping.data() + kMegabyte;
  EXPECT_FALSE(Contains(FlagsOf(piece).c_str(), "rd"));
  ASSERT_TRUE(mapping.Commit(kMegabyte, kMegabyte).ok());
  EXPECT_TRUE(Contains(FlagsOf(piece).c_str(), "rd wr"));
  EXPECT_TRUE(Contains(FlagsOf(piece).c_str(), "dc")) << "a child would inherit it";
  EXPECT_FALSE(Contains(FlagsOf(piece + kMegabyte).c_str(), "rd"));
  std::memset(piece, 1, kMegabyte);
  mapping.Decommit(kMegabyte, kMegabyte);
  EXPECT_FALSE(Contains(FlagsOf(piece).c_str(), "rd"));
  ASSERT_TRUE(mapping.Commit(kMegabyte, kMegabyte).ok());
  for (uint64_t i = 0; i < kMegabyte; ++i) ASSERT_EQ(piece[i], std::byte{0});
}

TEST(ReserveOnlyMapping, StaysDecommittedWhenCommitFails) {
  Mapping mapping = MustMap({.size_bytes = 8192 * kMegabyte, .reserve_only = true});
  ASSERT_TRUE(mapping.Commit(0, kMegabyte).ok());
  const conformance::ChildResult child = RunInChild([&] {
    const rlim_t used = std::stoull(conformance::StatusLine("VmData")) << 10;
    const rlimit limit{used + 1024 * kMegabyte, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) return std::string("setrlimit");
    const Status status = mapping.Commit(kMegabyte, 8191 * kMegabyte);
    if (status.code() != Code::kExhausted) return std::string(status.message());
    if (Contains(FlagsOf(mapping.data() + kMegabyte).c_str(), "rd"))
      return std::string("committed");
    return std::string(mapping.Commit(kMegabyte, kMegabyte).message());
  });
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring
