#include "cpp/os/prefault.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cpp/base/unique_fd.h"
#include "cpp/os/mapping.h"
#include "cpp/os/numa.h"
#include "cpp/os/pages.h"
#include "cpp/os/residency.h"
#include "cpp/os/testing/refuse_call.h"
#include "testing/support/child_process.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using conformance::Eventually;

constexpr uint64_t kMegabyte = 1 << 20;

Mapping MustMap(uint64_t size_bytes) {
  Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = size_bytes});
  EXPECT_TRUE(mapping.ok()) << mapping.status().message();
  EXPECT_TRUE(mapping.value().AdviseHugePages(HugePageAdvice::kAvoid).ok());
  return std::move(mapping).value();
}

uint64_t Resident(std::span<const std::byte> range) {
  const Result<uint64_t> resident = ResidentBytes(range);
  EXPECT_TRUE(resident.ok()) << resident.status().message();
  return resident.ok() ? resident.value() : UINT64_MAX;
}

bool KernelKnowsPopulate() {
  const Mapping mapping = MustMap(PageBytes());
  return Prefault({.range = mapping.range(), .method = PrefaultMethod::kPopulate}).ok();
}

// Tests that apply to both methods.
class PrefaultMethodTest : public testing::TestWithParam<PrefaultMethod> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT(GetParam() != PrefaultMethod::kPopulate || KernelKnowsPopulate(), "madv_populate",
                 "a kernel of version 5.14 or later");
  }

  PrefaultOptions Options(std::span<std::byte> range) const {
    return {.range = range, .method = GetParam()};
  }
};

INSTANTIATE_TEST_SUITE_P(, PrefaultMethodTest,
                         testing::Values(PrefaultMethod::kPopulate, PrefaultMethod::kPerPage),
                         [](const auto& tested) {
                           return tested.param == PrefaultMethod::kPopulate ? "Populate"
                                                                            : "PerPage";
                         });

TEST_P(PrefaultMethodTest, MakesEveryPageResident) {
  const Mapping mapping = MustMap(40 * kMegabyte);
  PrefaultReport report;
  const Status status = Prefault(Options(mapping.range()), &report);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(Resident(mapping.range()), mapping.size_bytes());
  EXPECT_EQ(report.method, GetParam());
  EXPECT_GE(report.thread_count, 1u);
  EXPECT_EQ(report.thread_error, 0);
}

TEST_P(PrefaultMethodTest, DoesNotFaultInPagesAroundTheRange) {
  const Mapping mapping = MustMap(20 * kMegabyte);
  const auto part = mapping.range().subspan(3 * PageBytes() + 100, 10 * kMegabyte);
  ASSERT_TRUE(Prefault(Options(part)).ok());
  EXPECT_EQ(Resident(part), part.size());
  EXPECT_EQ(Resident(mapping.range().subspan(0, 3 * PageBytes())), 0u);
  const uint64_t after = 3 * PageBytes() + 10 * kMegabyte + PageBytes();
  EXPECT_EQ(Resident(mapping.range().subspan(after)), 0u);
}

TEST_P(PrefaultMethodTest, FaultsInTheLastPageOfARangeThatEndsOnItsFirstByte) {
  const Mapping mapping = MustMap(4 * PageBytes());
  const auto part = mapping.range().subspan(PageBytes() - 1, PageBytes() + 2);
  ASSERT_TRUE(Prefault(Options(part)).ok());
  EXPECT_EQ(Resident(mapping.range()), 3 * PageBytes());
}

TEST_P(PrefaultMethodTest, ChangesNoByteWhileOtherThreadsWrite) {
  const Mapping mapping = MustMap(24 * kMegabyte);
  const uint64_t pages = mapping.size_bytes() / PageBytes();
  // kPerPage accesses the first word of every page.
  const auto counter = [&](uint64_t page) -> std::atomic<uint32_t>& {
    return *reinterpret_cast<std::atomic<uint32_t>*>(mapping.data() + page * PageBytes());
  };
  for (uint64_t page = 0; page < pages; page += 3) {
    std::memset(mapping.data() + page * PageBytes() + 8, 0x5A, PageBytes() - 8);
  }
  std::atomic<bool> stop{false};
  uint32_t rounds = 0;
  std::thread writer([&] {
    do {
      for (uint64_t page = 0; page < pages; ++page)
        counter(page).fetch_add(1, std::memory_order_relaxed);
      ++rounds;
    } while (!stop.load());
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Prefault(Options(mapping.range())).ok());
  stop.store(true);
  writer.join();
  for (uint64_t page = 0; page < pages; ++page) {
    ASSERT_EQ(counter(page).load(), rounds) << page;
    const std::byte expected{static_cast<unsigned char>(page % 3 == 0 ? 0x5A : 0)};
    ASSERT_EQ(mapping.data()[page * PageBytes() + 8], expected) << page;
    ASSERT_EQ(mapping.data()[(page + 1) * PageBytes() - 1], expected) << page;
  }
}

TEST_P(PrefaultMethodTest, CopiesPagesOfAPrivateFileMapping) {
  std::string path = ::testing::TempDir() + "prefault_test.XXXXXX";
  const UniqueFd fd(::mkstemp(path.data()));
  ASSERT_TRUE(fd.valid());
  ::unlink(path.c_str());
  const std::vector<char> text(2 * PageBytes(), 'x');
  ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  void* data = ::mmap(nullptr, text.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd.get(), 0);
  ASSERT_NE(data, MAP_FAILED);
  const Status status = Prefault(Options({static_cast<std::byte*>(data), text.size()}));
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(std::memcmp(data, text.data(), text.size()), 0);
  ::munmap(data, text.size());
}

// With kAuto, the default.
Status PrefaultAuto(std::span<std::byte> range) { return Prefault({.range = range}); }

TEST(Prefault, ReportsReadOnlyMemoryInsteadOfASignal) {
  const Mapping mapping = MustMap(4 * PageBytes());
  ASSERT_EQ(::mprotect(mapping.data() + PageBytes(), PageBytes(), PROT_READ), 0);
  for (const PrefaultMethod method : {PrefaultMethod::kAuto, PrefaultMethod::kPerPage}) {
    const Status status = Prefault({.range = mapping.range(), .method = method});
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
    EXPECT_NE(std::string(status.message()).find("read-only"), std::string::npos)
        << status.message();
  }
}

TEST(Prefault, ReportsUnmappedMemoryInsteadOfASignal) {
  const Mapping mapping = MustMap(4 * PageBytes());
  ASSERT_EQ(::munmap(mapping.data() + PageBytes(), PageBytes()), 0);
  for (const PrefaultMethod method : {PrefaultMethod::kAuto, PrefaultMethod::kPerPage}) {
    const Status status = Prefault({.range = mapping.range(), .method = method});
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
    EXPECT_NE(std::string(status.message()).find("not mapped"), std::string::npos)
        << status.message();
  }
}

TEST(Prefault, ReportsTheEndOfAFileInsteadOfASignal) {
  std::string path = ::testing::TempDir() + "prefault_test.XXXXXX";
  const UniqueFd fd(::mkstemp(path.data()));
  ASSERT_TRUE(fd.valid());
  ::unlink(path.c_str());
  ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(PageBytes())), 0);
  void* data = ::mmap(nullptr, 2 * PageBytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(data, MAP_FAILED);
  for (const PrefaultMethod method : {PrefaultMethod::kAuto, PrefaultMethod::kPerPage}) {
    const Status status =
        Prefault({.range = {static_cast<std::byte*>(data), 2 * PageBytes()}, .method = method});
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
  }
  ::munmap(data, 2 * PageBytes());
}

TEST(Prefault, SucceedsForAnEmptyRange) { EXPECT_TRUE(PrefaultAuto({}).ok()); }

TEST(Prefault, RejectsAPageSizeThatIsNotAPowerOfTwo) {
  const Mapping mapping = MustMap(PageBytes());
  const Status status = Prefault({.range = mapping.range(), .page_bytes = 3 * PageBytes()});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
}

TEST(Prefault, UsesPerPageWithoutKernelSupportForPopulate) {
  const conformance::ChildResult child = conformance::RunInChild([]() -> std::string {
    const Mapping mapping = MustMap(20 * kMegabyte);
    constexpr uint32_t kPopulateWrite = 23;  // linux/mman.h, 5.14
    if (!RefuseCall({.number = SYS_madvise,
                     .when = RefusedCall::When::kArgumentIs,
                     .argument = 2,
                     .value = kPopulateWrite,
                     .error = EINVAL})) {
      return "cannot install a filter";
    }
    const Status only = Prefault({.range = mapping.range(), .method = PrefaultMethod::kPopulate});
    if (only.code() != Code::kUnsupported) return std::string("only: ") + only.message();
    PrefaultReport report;
    const Status status = Prefault({.range = mapping.range()}, &report);
    if (!status.ok()) return status.message();
    if (report.method != PrefaultMethod::kPerPage) return "reports the other method";
    return Resident(mapping.range()) == mapping.size_bytes() ? "" : "not all pages are resident";
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(Prefault, StartsAtMostThreadCountThreadsAndLeavesNone) {
  std::thread([] {}).join();  // with the first thread, a sanitizer starts its own
  const uint64_t before = conformance::ThreadCount();
  for (const uint32_t asked : {1u, 2u, 5u}) {
    const Mapping mapping = MustMap(64 * kMegabyte);
    PrefaultReport report;
    ASSERT_TRUE(Prefault({.range = mapping.range(), .thread_count = asked}, &report).ok());
    EXPECT_EQ(report.thread_count, asked);
    // A thread disappears from /proc shortly after the join, also the one before.
    EXPECT_TRUE(Eventually([before] { return conformance::ThreadCount() <= before; }));
  }
}

TEST(Prefault, StartsNoThreadsForLittleMemory) {
  const Mapping mapping = MustMap(PageBytes());
  PrefaultReport report;
  ASSERT_TRUE(Prefault({.range = mapping.range(), .thread_count = 8}, &report).ok());
  EXPECT_LE(report.thread_count, 2u);  // the range may cross the border of two chunks
  ASSERT_TRUE(Prefault({.range = mapping.range()}, &report).ok());
  EXPECT_EQ(report.thread_count, 1u);
}

TEST(Prefault, SucceedsWhenThreadsDoNotStart) {
  const conformance::ChildResult child = conformance::RunInChild([]() -> std::string {
    const Mapping mapping = MustMap(32 * kMegabyte);
    // glibc creates threads with clone3, or with clone if the kernel does not know clone3.
    for (const long call : {SYS_clone3, SYS_clone}) {
      if (!RefuseCall({.number = call, .error = EAGAIN})) return "cannot install a filter";
    }
    PrefaultReport report;
    const Status status = Prefault({.range = mapping.range(), .thread_count = 4}, &report);
    if (!status.ok()) return status.message();
    if (report.thread_count != 1) return std::to_string(report.thread_count) + " threads";
    if (report.thread_error != EAGAIN) return "error " + std::to_string(report.thread_error);
    if (Resident(mapping.range()) != mapping.size_bytes()) return "not all pages are resident";
    // With a node too, where the caller otherwise only waits.
    const Status bound =
        Prefault({.range = mapping.range(), .thread_count = 4, .numa_node = 0}, &report);
    return bound.ok() && report.thread_count == 1 ? "" : "with a node";
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(Prefault, DoesNotChangeTheCallersSignalMask) {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  sigset_t before;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &blocked, &before), 0);
  const Mapping mapping = MustMap(32 * kMegabyte);
  EXPECT_TRUE(Prefault({.range = mapping.range(), .thread_count = 2}).ok());
  sigset_t after;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, &after), 0);
  for (int signal = 1; signal < NSIG; ++signal) {
    EXPECT_EQ(::sigismember(&after, signal), ::sigismember(&blocked, signal)) << signal;
  }
}

TEST(Prefault, RunsOnTheRequestedNode) {
  SKIP_WITHOUT(CheckNode(0).ok(), "numa_node_0", "a machine whose node 0 has memory");
  const Mapping mapping = MustMap(32 * kMegabyte);
  PrefaultReport report;
  const Status status =
      Prefault({.range = mapping.range(), .thread_count = 2, .numa_node = 0}, &report);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(report.placement_error, 0);
  EXPECT_EQ(report.thread_count, 2u);
  EXPECT_EQ(Resident(mapping.range()), mapping.size_bytes());
}

TEST(Prefault, RejectsANodeThatDoesNotExistBeforeItFaultsInPages) {
  const Mapping mapping = MustMap(PageBytes());
  EXPECT_FALSE(Prefault({.range = mapping.range(), .numa_node = 1000}).ok());
  EXPECT_EQ(Resident(mapping.range()), 0u);
}

TEST_P(PrefaultMethodTest, FaultsInReservedHugePages) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool && pool->Available() >= 2, "huge_pages", "sysctl vm.nr_hugepages=2");
  Result<Mapping> mapping = Mapping::Hugetlb({.size_bytes = 2 * pool->page_bytes});
  ASSERT_TRUE(mapping.ok()) << mapping.status().message();
  PrefaultOptions options = Options(mapping.value().range());
  options.page_bytes = pool->page_bytes;
  const Status status = Prefault(options);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(Resident(mapping.value().range()), 2 * pool->page_bytes);
}

TEST(Prefault, ReportsAnEmptyPoolInsteadOfASignal) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  SKIP_WITHOUT(pool && pool->overcommit == 0, "hugetlb", "a kernel built with CONFIG_HUGETLBFS");
  // Mapped with MAP_NORESERVE, because the pool does not have that many pages.
  const uint64_t size_bytes = (pool->total + 1) * pool->page_bytes;
  SKIP_WITHOUT(pool->total < 64, "small_pool", "sysctl vm.nr_hugepages below 64");
  void* data = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
  ASSERT_NE(data, MAP_FAILED);
  for (const PrefaultMethod method : {PrefaultMethod::kAuto, PrefaultMethod::kPerPage}) {
    const Status status = Prefault({.range = {static_cast<std::byte*>(data), size_bytes},
                                    .page_bytes = pool->page_bytes,
                                    .method = method});
    EXPECT_EQ(status.code(), Code::kExhausted) << status.message();
    EXPECT_NE(std::string(status.message()).find("huge page"), std::string::npos)
        << status.message();
  }
  ::munmap(data, size_bytes);
}

}  // namespace
}  // namespace mooring
