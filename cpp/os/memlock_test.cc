#include "cpp/os/memlock.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "cpp/os/testing/refuse_call.h"
#include "testing/support/child_process.h"
#include "testing/support/privileges.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring {
namespace {

using conformance::ChildResult;
using conformance::DropIpcLock;
using conformance::RunInChild;

constexpr uint64_t kKilobyte = 1024;

bool SetMemlock(rlim_t soft, rlim_t hard) {
  const rlimit limit = {soft, hard};
  return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

// True if the kernel lets this thread lock that many bytes. This verifies the reported limits.
bool CanLock(size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  // By number, because sanitizers make mlock(3) do nothing.
  const bool locked = ::syscall(SYS_mlock, memory, bytes) == 0;
  ::munmap(memory, bytes);
  return locked;
}

bool HasIpcLockInEffect() {
  constexpr int kIpcLock = 14;  // capabilities(7), linux/capability.h
  return (std::strtoull(conformance::StatusLine("CapEff").c_str(), nullptr, 16) >> kIpcLock & 1) !=
         0;
}

// True for root outside of any sandbox.
bool IsInitialRoot() { return geteuid() == 0 && HasIpcLockInEffect() && InInitialUserNamespace(); }

void ExpectClean(const ChildResult& child) {
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

TEST(ReadMemlockLimits, ReadsBothLimits) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &before), 0);
  SKIP_WITHOUT(before.rlim_max >= 128 * kKilobyte, "memlock_128k",
               "raise the hard limit: ulimit -Hl 128");
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(64 * kKilobyte, 128 * kKilobyte)) return "cannot set the limit";
    const MemlockLimits limits = ReadMemlockLimits();
    if (limits.soft_bytes != 64 * kKilobyte) return "soft: " + std::to_string(limits.soft_bytes);
    if (limits.hard_bytes != 128 * kKilobyte) return "hard: " + std::to_string(limits.hard_bytes);
    return "";
  }));
}

TEST(ReadMemlockLimits, ReportsUnlimited) {
  const bool can_raise =
      RunInChild([] { return SetMemlock(0, RLIM_INFINITY) ? "" : "no"; }).complaint.empty();
  SKIP_WITHOUT(can_raise, "CAP_SYS_RESOURCE", "only it may raise a hard limit");
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(0, RLIM_INFINITY)) return "cannot set the limit";
    const MemlockLimits limits = ReadMemlockLimits();
    if (limits.soft_bytes != 0) return "soft: " + std::to_string(limits.soft_bytes);
    if (limits.hard_bytes != UINT64_MAX) return "hard: " + std::to_string(limits.hard_bytes);
    return "";
  }));
}

TEST(RaiseMemlockSoftLimit, RaisesTheLimitThatTheKernelEnforces) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &before), 0);
  SKIP_WITHOUT(before.rlim_max >= 512 * kKilobyte, "memlock_512k",
               "raise the hard limit: ulimit -Hl 512");
  ExpectClean(RunInChild([]() -> std::string {
    if (!DropIpcLock()) return "cannot drop CAP_IPC_LOCK";
    if (!SetMemlock(64 * kKilobyte, 512 * kKilobyte)) return "cannot set the limit";
    if (CanLock(256 * kKilobyte)) return "the limit is not enforced";
    const Status raised = RaiseMemlockSoftLimit();
    if (!raised.ok()) return raised.message();
    if (ReadMemlockLimits().soft_bytes != 512 * kKilobyte) return "not raised";
    if (ReadMemlockLimits().hard_bytes != 512 * kKilobyte) return "the hard limit changed";
    return CanLock(256 * kKilobyte) ? "" : "raised, but the kernel enforces the old limit";
  }));
}

TEST(RaiseMemlockSoftLimit, SucceedsWhenTheLimitsAreEqual) {
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(0, 0)) return "cannot set the limit";
    if (!RaiseMemlockSoftLimit().ok()) return "failed";
    return ReadMemlockLimits().soft_bytes == 0 ? "" : "raised above the hard limit";
  }));
}

TEST(RaiseMemlockSoftLimit, ReportsWhyASandboxRejectsTheCall) {
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(64 * kKilobyte, 128 * kKilobyte)) return "cannot set the limit";
    // glibc uses prlimit64 for both calls. Only setrlimit passes a new limit, the third argument.
    if (!RefuseCall({.number = SYS_prlimit64,
                     .when = RefusedCall::When::kArgumentIsNot,
                     .argument = 2,
                     .value = 0,
                     .error = EPERM})) {
      return "cannot install a filter";
    }
    const Status raised = RaiseMemlockSoftLimit();
    if (raised.code() != Code::kPermission) return std::string("code: ") + CodeName(raised.code());
    if (std::string(raised.message()).find("128 KiB") == std::string::npos) return raised.message();
    return "";
  }));
}

TEST(MemlockExempt, IsTrueForRootAndRootMayExceedTheLimit) {
  SKIP_WITHOUT(IsInitialRoot(), "root", "run as root, outside of a user namespace");
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(64 * kKilobyte, 64 * kKilobyte)) return "cannot set the limit";
    if (!ReadMemlockLimits().exempt) return "not exempt";
    return CanLock(256 * kKilobyte) ? "" : "exempt, but the limit is enforced";
  }));
}

TEST(MemlockExempt, IsFalseWithoutTheCapability) {
  ExpectClean(RunInChild([]() -> std::string {
    if (!DropIpcLock()) return "cannot drop CAP_IPC_LOCK";
    return ReadMemlockLimits().exempt ? "exempt without CAP_IPC_LOCK" : "";
  }));
}

TEST(MemlockExempt, IsFalseWhenTheCapabilityIsPermittedButNotInEffect) {
  SKIP_WITHOUT(IsInitialRoot(), "root", "run as root, outside of a user namespace");
  ExpectClean(RunInChild([]() -> std::string {
    // A change of the effective user id away from 0 clears the effective set and leaves the
    // permitted one (capabilities(7), "Effect of user ID changes on capabilities").
    if (::seteuid(65534) != 0) return "cannot change the effective user id";
    if (HasIpcLockInEffect()) return "the capability is still in effect";
    return ReadMemlockLimits().exempt ? "exempt by a capability that is not in effect" : "";
  }));
}

// Enters a new user namespace, in which this process has every capability.
bool EnterUserNamespace() { return ::unshare(CLONE_NEWUSER) == 0; }

bool CanEnterUserNamespace() {
  return RunInChild([] { return EnterUserNamespace() ? "" : "no"; }).complaint.empty();
}

TEST(MemlockExempt, IsFalseInAUserNamespaceWhereRootCannotExceedTheLimit) {
  SKIP_WITHOUT(CanEnterUserNamespace(), "user_namespaces", "allow unshare(CLONE_NEWUSER)");
  ExpectClean(RunInChild([]() -> std::string {
    if (!SetMemlock(64 * kKilobyte, 64 * kKilobyte)) return "cannot set the limit";
    if (!EnterUserNamespace()) return "cannot enter a user namespace";
    if (!HasIpcLockInEffect()) return "no capability in the namespace: this test proves nothing";
    if (InInitialUserNamespace()) return "takes the namespace for the initial one";
    if (ReadMemlockLimits().exempt) return "exempt because of a capability that is not valid here";
    return CanLock(256 * kKilobyte) ? "the limit is not enforced" : "";
  }));
}

TEST(InInitialUserNamespace, IsFalseInANamespaceWithTheInitialNamespacesMap) {
  SKIP_WITHOUT(CanEnterUserNamespace(), "user_namespaces", "allow unshare(CLONE_NEWUSER)");
  SKIP_WITHOUT(IsInitialRoot(), "root", "only root may map every user id");
  ExpectClean(RunInChild([]() -> std::string {
    int ready[2];
    int mapped[2];
    if (::pipe(ready) != 0 || ::pipe(mapped) != 0) return "cannot make pipes";
    const pid_t inside = ::getpid();
    const pid_t writer = ::fork();
    if (writer < 0) return "cannot fork";
    if (writer == 0) {
      // This process is outside, so it may write any map of the inner one (user_namespaces(7)).
      ::close(ready[1]);  // otherwise it waits for itself if the other process fails
      char byte = 0;
      if (::read(ready[0], &byte, 1) != 1) ::_exit(1);
      std::ofstream("/proc/" + std::to_string(inside) + "/uid_map") << "0 0 4294967295\n"
                                                                    << std::flush;
      if (::write(mapped[1], &byte, 1) != 1) ::_exit(1);
      ::_exit(0);
    }
    if (!EnterUserNamespace()) return "cannot enter a user namespace";
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(mapped[0], &byte, 1) != 1)
      return "the writer has ended";
    uint64_t first = 1;
    uint64_t outside = 1;
    uint64_t count = 0;
    std::ifstream("/proc/self/uid_map") >> first >> outside >> count;
    if (first != 0 || outside != 0 || count != 4294967295) return "the map was not written";
    return InInitialUserNamespace() ? "the map was taken as proof" : "";
  }));
}

TEST(MemlockExempt, IsFalseWithoutProc) {
  SKIP_WITHOUT(IsInitialRoot(), "root", "chroot needs CAP_SYS_CHROOT");
  std::string path = testing::TempDir() + "memlock_test_root.XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const ChildResult child = RunInChild([&]() -> std::string {
    if (::chroot(path.c_str()) != 0) return "cannot chroot";
    return ReadMemlockLimits().exempt ? "exempt without proof" : "";
  });
  ::rmdir(path.c_str());
  ExpectClean(child);
}

}  // namespace
}  // namespace mooring
