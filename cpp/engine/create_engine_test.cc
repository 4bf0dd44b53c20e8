#include "cpp/engine/create_engine.h"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <cerrno>
#include <string>
#include <vector>

#include "cpp/base/format.h"
#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

EngineOptions OfKind(EngineKind kind) {
  EngineOptions options;
  options.kind = kind;
  return options;
}

// Denies `calls` as container runtimes do: docker with EPERM, podman with ENOSYS.
bool Deny(int error, const std::vector<const char*>& calls) {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  bool done = filter != nullptr;
  for (const char* call : calls) {
    done = done && seccomp_rule_add(filter, SCMP_ACT_ERRNO(error),
                                    seccomp_syscall_resolve_name(call), 0) == 0;
  }
  done = done && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return done;
}
const std::vector<const char*> kAllCalls = {"io_uring_setup", "io_uring_enter",
                                            "io_uring_register"};

std::string ExpectThreads(EngineReason reason, int error, const char* word) {
  const Result<std::unique_ptr<Engine>> made = CreateEngine(OfKind(EngineKind::kAuto));
  if (!made.ok()) return std::string("auto failed: ") + made.status().message();
  const EngineInfo& info = made.value()->info();
  if (info.kind != EngineKind::kThreads) return "not threads";
  if (info.reason != reason)
    return Format("reason %u: %s", static_cast<unsigned>(info.reason), info.message.c_str());
  if (info.system_error != error) return Format("errno %d", info.system_error);
  if (info.message.find(word) == std::string::npos) return "message: " + info.message;
  if (info.remedy.empty()) return "no remedy";
  if (info.message.size() > 255 || info.remedy.size() > 511)
    return "too long for mooring_ring_info_t";
  if (Results(*made.value(), {Nop()}) != Values({0})) return "the threads do not work";
  return "";
}

// The error has the same text as the info of the threads engine.
std::string ExpectError(Code code, int error) {
  const Result<std::unique_ptr<Engine>> made = CreateEngine(OfKind(EngineKind::kIoUring));
  if (made.ok()) return "io_uring was made";
  if (made.status().code() != code) return std::string("code ") + CodeName(made.status().code());
  if (made.status().system_error() != error)
    return "errno " + std::to_string(made.status().system_error());
  const EngineInfo probe = ProbeEngine();
  if (probe.kind != EngineKind::kThreads) return "the probe found io_uring";
  if (probe.features != 0) return "the probe found features";
  if (probe.message != made.status().message())
    return "the message of the probe is " + probe.message;
  return probe.remedy != made.status().remedy() ? "the remedy of the probe is " + probe.remedy : "";
}

TEST(CreateEngine, AutoUsesIoUringWhereAvailable) {
  SKIP_UNLESS(HasUring(), "io_uring");
  const Result<std::unique_ptr<Engine>> made = CreateEngine(OfKind(EngineKind::kAuto));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value()->info().kind, EngineKind::kIoUring);
  EXPECT_EQ(made.value()->info().reason, EngineReason::kNone);
}

TEST(CreateEngine, ThreadsByKindHaveReasonPolicy) {
  const Result<std::unique_ptr<Engine>> made = CreateEngine(OfKind(EngineKind::kThreads));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value()->info().kind, EngineKind::kThreads);
  EXPECT_EQ(made.value()->info().reason, EngineReason::kPolicy);
  EXPECT_NE(made.value()->info().message, "");
  EXPECT_EQ(Results(*made.value(), {Nop()}), Values({0}));
}

TEST(CreateEngine, AnUnknownKindFails) {
  const Result<std::unique_ptr<Engine>> made = CreateEngine(OfKind(EngineKind{77}));
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.status().code(), Code::kInvalidArgument);
}

TEST(CreateEngine, SeccompWithEpermIsNamed) {
  EXPECT_EQ(InChild([]() -> std::string {
              if (!Deny(EPERM, kAllCalls)) return "no filter";
              if (std::string wrong = ExpectThreads(EngineReason::kIoUringDenied, EPERM, "seccomp");
                  !wrong.empty())
                return wrong;
              if (RingsAreCharged()) return "rings are charged although none can be made";
              return ExpectError(Code::kPermission, EPERM);
            }),
            "");
}

TEST(CreateEngine, SeccompWithEnosysMeansMissing) {
  EXPECT_EQ(
      InChild([]() -> std::string {
        if (!Deny(ENOSYS, kAllCalls)) return "no filter";
        if (std::string wrong = ExpectThreads(EngineReason::kIoUringMissing, ENOSYS, "ENOSYS");
            !wrong.empty())
          return wrong;
        return ExpectError(Code::kUnsupported, ENOSYS);
      }),
      "");
}

TEST(CreateEngine, SeccompThatDeniesOnlyRegisterOrEnterIsFound) {
  SKIP_UNLESS(HasUring(), "io_uring");
  for (const char* call : {"io_uring_enter", "io_uring_register"}) {
    EXPECT_EQ(InChild([call]() -> std::string {
                if (!Deny(EPERM, {call})) return "no filter";
                return ExpectThreads(EngineReason::kIoUringDenied, EPERM, call);
              }),
              "");
  }
}

TEST(ProbeEngine, FindsAllFeaturesOfAnEngine) {
  SKIP_UNLESS(HasUring(), "io_uring");
  const EngineInfo probe = ProbeEngine();
  EXPECT_EQ(probe.kind, EngineKind::kIoUring);
  EXPECT_EQ(probe.message, "");
  EngineOptions options = OptionsOf(Mode::kOwner);
  options.fixed_file_count = 1;
  const uint64_t found = MakeUring(options)->info().features;
  EXPECT_EQ(probe.features & found, found);
  if (MakeUring(Mode::kSqpoll) != nullptr) {
    EXPECT_NE(probe.features & kFeatureSqpoll, 0u);
  }
}

TEST(ProbeEngine, LeavesNoDescriptorOpen) {
  const auto next_fd = [] {
    const UniqueFd fd(dup(0));
    return fd.get();
  };
  const int before = next_fd();
  ProbeEngine();
  EXPECT_EQ(next_fd(), before);
}

}  // namespace
}  // namespace mooring
