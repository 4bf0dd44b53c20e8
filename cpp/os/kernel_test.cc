#include "cpp/os/kernel.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <string>
#include <thread>

#include "testing/support/child_process.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using conformance::RunInChild;

// The first word of a file; "" if it cannot be read.
std::string WordOf(const char* path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

TEST(KernelRelease, MatchesTheRunningKernel) {
  const std::string release = KernelRelease();
  ASSERT_FALSE(release.empty());
  EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(release[0]))) << release;
  EXPECT_EQ(release, WordOf("/proc/sys/kernel/osrelease"));
}

TEST(IoUringDisabledSysctl, MatchesTheFileInProc) {
  const std::string word = WordOf("/proc/sys/kernel/io_uring_disabled");
  SKIP_WITHOUT(!word.empty(), "io_uring_disabled", "a kernel of version 6.6 or later");
  ASSERT_TRUE(IoUringDisabledSysctl().has_value());
  EXPECT_EQ(std::to_string(*IoUringDisabledSysctl()), word);
}

TEST(IoUringDisabledSysctl, IsUnknownWithoutProc) {
  SKIP_WITHOUT(geteuid() == 0, "root", "chroot needs CAP_SYS_CHROOT");
  const std::string empty = testing::TempDir() + "kernel_test_root.XXXXXX";
  std::string path = empty;
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const conformance::ChildResult child = RunInChild([&]() -> std::string {
    if (::chroot(path.c_str()) != 0) return "cannot chroot";
    return IoUringDisabledSysctl().has_value() ? "a value without /proc" : "";
  });
  ::rmdir(path.c_str());
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

TEST(UsableCpuCount, MatchesTheAffinityOfTheThread) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(UsableCpuCount(), static_cast<uint32_t>(CPU_COUNT(&before)));
  // On a separate thread, because the affinity cannot be undone otherwise.
  std::thread([&before] {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(UsableCpuCount(), 1u);
  }).join();
}

}  // namespace
}  // namespace mooring
