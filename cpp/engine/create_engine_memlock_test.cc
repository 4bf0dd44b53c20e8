// Rings under a real RLIMIT_MEMLOCK. Each test runs in a child without CAP_IPC_LOCK and with a
// separate user id, so that no other process uses its budget.

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "cpp/base/format.h"
#include "cpp/engine/create_engine.h"
#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

// Enough for each ring here, and at most the hard limit of most systems.
constexpr uint64_t kPlenty = 4 << 20;

bool DropIpcLock() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  constexpr uint32_t kBit = 1u << CAP_IPC_LOCK;
  for (uint32_t* set : {&data[0].effective, &data[0].permitted, &data[0].inheritable})
    *set &= ~kBit;
  if (prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK) != 0 && errno != EPERM) return false;
  return syscall(SYS_capset, &header, data) == 0;
}

bool SetMemlock(uint64_t soft, uint64_t hard) {
  const rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

// Runs `body` in such a child.
std::string Limited(uint64_t soft, uint64_t hard, const std::function<std::string()>& body) {
  static int uses = 0;
  const uid_t uid =
      2'000'000'000u + static_cast<uid_t>(getpid()) * 16u + static_cast<uid_t>(uses++);
  return InChild([&]() -> std::string {
    // The budget belongs to the real user id. The effective one stays, with the right to set
    // limits.
    if (setresuid(uid, static_cast<uid_t>(-1), static_cast<uid_t>(-1)) != 0)
      return "cannot take a user id";
    if (!DropIpcLock()) return "cannot drop CAP_IPC_LOCK";
    if (!SetMemlock(soft, hard)) return "cannot set RLIMIT_MEMLOCK";
    return body();
  });
}

EngineOptions OfSizes(EngineKind kind, uint32_t submission_count) {
  EngineOptions options;
  options.kind = kind;
  options.submission_count = submission_count;
  options.completion_count = 2 * submission_count;
  options.fixed_buffer_count = 0;
  return options;
}

class CreateEngineMemlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    SKIP_UNLESS(geteuid() == 0, "memlock");
    SKIP_UNLESS(RingsAreCharged(), "charged_rings");
  }
};

// RingsAreCharged derives its answer from the kernel's features. Here it is compared with a charge.
TEST(RingsAreCharged, MatchesWhetherARingFitsIntoNoMemlock) {
  SKIP_UNLESS(HasUring(), "io_uring");
  SKIP_UNLESS(geteuid() == 0, "memlock");
  const bool charged = RingsAreCharged();
  EXPECT_EQ(Limited(0, 0,
                    [charged]() -> std::string {
                      io_uring_params params = {};
                      const int fd = kKernelCalls.io_uring_setup(8, &params);
                      if (fd < 0 && fd != -ENOMEM) return "errno " + std::to_string(-fd);
                      if ((fd == -ENOMEM) != charged)
                        return charged ? "the ring fits, but is charged" : "the ring does not fit";
                      return RingsAreCharged() == charged ? "" : "the child has the other result";
                    }),
            "");
}

TEST_F(CreateEngineMemlockTest, WithoutBudgetAutoUsesThreadsAndReportsTheBytesNeeded) {
  EXPECT_EQ(Limited(0, 0,
                    []() -> std::string {
                      const Result<std::unique_ptr<Engine>> made =
                          CreateEngine(OfSizes(EngineKind::kAuto, 128));
                      if (!made.ok()) return made.status().message();
                      const EngineInfo& info = made.value()->info();
                      if (info.kind != EngineKind::kThreads) return "not threads";
                      if (info.reason != EngineReason::kMemlockLimit)
                        return "reason: " + info.message;
                      if (info.message.size() > 255 || info.remedy.size() > 511)
                        return "too long for mooring_ring_info_t";
                      if (info.system_error != ENOMEM)
                        return "errno " + std::to_string(info.system_error);
                      if (info.message.find("8 KiB (8,192 bytes)") == std::string::npos)
                        return "no bytes needed: " + info.message;
                      if (info.message.find("0 bytes") == std::string::npos)
                        return "no limit: " + info.message;
                      if (info.remedy.find("RLIMIT_MEMLOCK") == std::string::npos)
                        return "remedy: " + info.remedy;
                      if (ProbeEngine().reason != EngineReason::kMemlockLimit)
                        return "the probe found another reason";
                      return Results(*made.value(), {Nop()}) == Values({0})
                                 ? ""
                                 : "the threads do not work";
                    }),
            "");
}

TEST_F(CreateEngineMemlockTest, WithoutBudgetIoUringByKindFails) {
  EXPECT_EQ(Limited(0, 0,
                    []() -> std::string {
                      const Result<std::unique_ptr<Engine>> made =
                          CreateEngine(OfSizes(EngineKind::kIoUring, 128));
                      if (made.ok()) return "io_uring was made";
                      if (made.status().code() != Code::kMemlockLimit)
                        return CodeName(made.status().code());
                      return made.status().retry() == Retry::kAfterRemedy ? "" : "retry";
                    }),
            "");
}

// memlock_bytes is the kernel's charge, exact to the page: a limit of one page less is too small.
TEST_F(CreateEngineMemlockTest, TheBytesReportedAreTheBytesCharged) {
  for (const uint32_t size : {8u, 64u, 128u, 256u, 1024u, 4096u}) {
    const auto find = [size] {
      return std::to_string(
          CreateEngine(OfSizes(EngineKind::kIoUring, size)).value()->info().memlock_bytes);
    };
    const uint64_t bytes = std::stoull(Limited(kPlenty, kPlenty, find));
    ASSERT_GT(bytes, 0u);
    const auto full_size = [size]() -> std::string {
      const Result<std::unique_ptr<Engine>> made =
          CreateEngine(OfSizes(EngineKind::kIoUring, size));
      if (!made.ok()) return "none";
      return made.value()->info().submission_count == size ? "full" : "smaller";
    };
    EXPECT_EQ(Limited(bytes, bytes, full_size), "full")
        << size << " entries, " << bytes << " bytes";
    EXPECT_EQ(Limited(bytes - 4096, bytes, full_size), size <= 64 ? "none" : "smaller")
        << size << " entries, " << bytes << " bytes";
  }
}

TEST_F(CreateEngineMemlockTest, ASmallerRingReportsItsSizes) {
  EXPECT_EQ(Limited(64 << 10, 64 << 10,
                    []() -> std::string {
                      const Result<std::unique_ptr<Engine>> made =
                          CreateEngine(OfSizes(EngineKind::kIoUring, 4096));
                      if (!made.ok()) return made.status().message();
                      const EngineInfo& info = made.value()->info();
                      if (info.memlock_exempt) return "exempt";
                      if (info.submission_count >= 4096 || info.submission_count < 256)
                        return std::to_string(info.submission_count);
                      if (info.completion_count != 2 * info.submission_count)
                        return std::to_string(info.completion_count);
                      if (info.memlock_bytes == 0 || info.memlock_bytes > 64 << 10)
                        return std::to_string(info.memlock_bytes);
                      return Results(*made.value(), std::vector<Request>(256, Nop())) ==
                                     Values(256, 0)
                                 ? ""
                                 : "does not work";
                    }),
            "");
}

TEST_F(CreateEngineMemlockTest, TheSoftLimitIsRaisedOnlyWhereAllowed) {
  for (const bool raise : {false, true}) {
    EXPECT_EQ(Limited(0, 1 << 20,
                      [raise]() -> std::string {
                        EngineOptions options = OfSizes(EngineKind::kAuto, 128);
                        options.raise_memlock = raise;
                        const Result<std::unique_ptr<Engine>> made = CreateEngine(options);
                        if (!made.ok()) return made.status().message();
                        rlimit limit = {};
                        getrlimit(RLIMIT_MEMLOCK, &limit);
                        if (limit.rlim_cur != (raise ? 1u << 20 : 0u))
                          return "soft limit " + std::to_string(limit.rlim_cur);
                        const EngineInfo& info = made.value()->info();
                        if (!raise && info.remedy.find("RAISE_MEMLOCK") == std::string::npos)
                          return "remedy: " + info.remedy;
                        return (info.kind == EngineKind::kIoUring) == raise ? "" : info.message;
                      }),
              "");
  }
}

TEST_F(CreateEngineMemlockTest, TheBudgetOfARingJustClosedIsWaitedFor) {
  EXPECT_EQ(Limited(28 << 10, 28 << 10,
                    []() -> std::string {
                      for (int i = 0; i < 20; ++i) {
                        const Result<std::unique_ptr<Engine>> made =
                            CreateEngine(OfSizes(EngineKind::kIoUring, 256));
                        if (!made.ok()) return made.status().message();
                        if (made.value()->info().submission_count != 256) {
                          return Format("round %d: %u entries", i,
                                        made.value()->info().submission_count);
                        }
                      }
                      return "";
                    }),
            "");
}

}  // namespace
}  // namespace mooring
