// The flags, sizes and tables of an engine on older kernels, with less memory, or with features
// denied.

#include "cpp/engine/io_uring/setup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"
#include "cpp/engine/testing/fake_kernel.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t k56 = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SQPOLL;
constexpr uint32_t k518 = k56 | IORING_SETUP_SUBMIT_ALL;
constexpr uint32_t k519 = k518 | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
constexpr uint32_t k60 = k519 | IORING_SETUP_SINGLE_ISSUER;
constexpr uint32_t k61 = k60 | IORING_SETUP_DEFER_TASKRUN;
constexpr uint32_t k66 = k61 | IORING_SETUP_NO_SQARRAY;

class UringSetupTest : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_UNLESS(HasUring(), "io_uring"); }

  // Also checks that the engine works.
  std::unique_ptr<Engine> Make(const EngineOptions& options) {
    std::unique_ptr<Engine> engine = CreateIoUringEngine(options, &why_, FakeKernel::calls());
    if (engine == nullptr) return nullptr;
    const std::vector<char> bytes = Bytes(64);
    const TempFile file(bytes);
    char data[64];
    EXPECT_EQ(Results(*engine, {Nop(), ReadAt(file.fd(), 0, data, 64), Timeout(2'000'000)}),
              Values({0, 64, -ETIME}));
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), data));
    return engine;
  }
  uint32_t FlagsOn(uint32_t kernel_flags, Mode mode) {
    kernel_.setup_flags = kernel_flags;
    const std::unique_ptr<Engine> engine = Make(OptionsOf(mode));
    return engine == nullptr ? 0 : engine->info().setup_flags;
  }
  // True when the running kernel supports the flags.
  static bool KernelAccepts(uint32_t flags) {
    io_uring_params params = {};
    params.flags = flags & ~IORING_SETUP_SQPOLL;
    params.cq_entries = 16;
    Uring uring;
    return uring.Create(kKernelCalls, params, 8) == 0;
  }

  FakeKernel kernel_;
  Unavailability why_;
};

TEST_F(UringSetupTest, OwnerThreadGetsTheNewestFlagsOfEachKernel) {
  constexpr uint32_t kBase = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  EXPECT_EQ(FlagsOn(k56, Mode::kOwner), kBase);
  EXPECT_EQ(FlagsOn(k518, Mode::kOwner), kBase | IORING_SETUP_SUBMIT_ALL);
  EXPECT_EQ(FlagsOn(k519, Mode::kOwner), k519 & ~IORING_SETUP_SQPOLL);
  EXPECT_EQ(FlagsOn(k60, Mode::kOwner), k60 & ~IORING_SETUP_SQPOLL);
  SKIP_UNLESS(KernelAccepts(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN),
              "defer_taskrun");
  constexpr uint32_t kDeferred = (k61 & ~IORING_SETUP_SQPOLL) & ~IORING_SETUP_COOP_TASKRUN;
  EXPECT_EQ(FlagsOn(k61, Mode::kOwner), kDeferred);
  SKIP_UNLESS(KernelAccepts(IORING_SETUP_NO_SQARRAY), "no_sqarray");
  EXPECT_EQ(FlagsOn(k66, Mode::kOwner), kDeferred | IORING_SETUP_NO_SQARRAY);
}

TEST_F(UringSetupTest, AnyThreadUsesNoTaskrunFlags) {
  constexpr uint32_t kBase = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  EXPECT_EQ(FlagsOn(k56, Mode::kAnyThread), kBase);
  EXPECT_EQ(FlagsOn(k519, Mode::kAnyThread), kBase | IORING_SETUP_SUBMIT_ALL);
  EXPECT_EQ(FlagsOn(k61, Mode::kAnyThread), kBase | IORING_SETUP_SUBMIT_ALL);
}

TEST_F(UringSetupTest, SqpollUsesNoTaskrunFlags) {
  EXPECT_EQ(FlagsOn(k56, Mode::kSqpoll), k56);
  EXPECT_EQ(FlagsOn(k61, Mode::kSqpoll), k518);
}

TEST_F(UringSetupTest, AKernelWithoutTheFlagsOf56IsTooOld) {
  kernel_.setup_flags = 0;
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringMissing);
  EXPECT_EQ(why_.code, Code::kUnsupported);
}

TEST_F(UringSetupTest, AKernelWithoutANeededOpcodeIsTooOldAndTheOpcodeIsNamed) {
  kernel_.missing_opcodes = {IORING_OP_READ};
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringMissing);
  EXPECT_THAT(why_.message, HasSubstr("IORING_OP_READ"));
}

TEST_F(UringSetupTest, AKernelWithoutAProbeIsTooOld) {
  kernel_.denied_register_opcodes = {IORING_REGISTER_PROBE};
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringMissing);
}

TEST_F(UringSetupTest, AFilterThatDeniesOnlyEnterOrRegisterIsFound) {
  kernel_.on_enter = [](int, uint32_t*, uint32_t) { return -EPERM; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringDenied);
  EXPECT_THAT(why_.message, HasSubstr("io_uring_enter"));
  kernel_.on_enter = nullptr;
  kernel_.on_register = [](uint32_t) { return -EPERM; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringDenied);
  EXPECT_THAT(why_.message, HasSubstr("io_uring_register"));
}

TEST_F(UringSetupTest, ATemporaryShortageIsNotReportedAsAFilter) {
  kernel_.on_enter = [](int, uint32_t*, uint32_t) { return -EAGAIN; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kNone);
  EXPECT_EQ(why_.code, Code::kExhausted);
  kernel_.on_enter = nullptr;
  kernel_.on_register = [](uint32_t) { return -ENOMEM; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kNone);
  EXPECT_EQ(why_.retry, Retry::kLater);
  EXPECT_THAT(why_.message, HasSubstr("io_uring_register"));
}

TEST_F(UringSetupTest, EaccesWithoutAFilterNamesSecurityModulesToo) {
  kernel_.on_setup = [](uint32_t, const io_uring_params&) { return -EACCES; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kIoUringDenied);
  EXPECT_EQ(why_.system_error, EACCES);
  EXPECT_THAT(why_.message, HasSubstr("security module"));
}

TEST_F(UringSetupTest, TheDescriptorLimitIsNoReasonForThreads) {
  kernel_.on_setup = [](uint32_t, const io_uring_params&) { return -EMFILE; };
  EXPECT_EQ(Make(OptionsOf(Mode::kOwner)), nullptr);
  EXPECT_EQ(why_.reason, EngineReason::kNone);
  EXPECT_EQ(why_.code, Code::kExhausted);
  EXPECT_THAT(why_.remedy, HasSubstr("RLIMIT_NOFILE"));
}

TEST_F(UringSetupTest, QueuesAreHalvedUntilTheyFit) {
  kernel_.on_setup = [](uint32_t entries, const io_uring_params&) {
    return entries > 32 ? -ENOMEM : 1;
  };
  const std::unique_ptr<Engine> engine = Make(OptionsOf(Mode::kAnyThread));
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().submission_count, 32u);
  EXPECT_EQ(engine->info().completion_count, 64u);
}

TEST_F(UringSetupTest, TheSmallestQueuesTriedAreEightAndSixteen) {
  uint32_t smallest = UINT32_MAX;
  uint32_t completions = UINT32_MAX;
  kernel_.on_setup = [&](uint32_t entries, const io_uring_params& params) {
    smallest = std::min(smallest, entries);
    completions = std::min(completions, params.cq_entries);
    return -ENOMEM;
  };
  EXPECT_EQ(Make(OptionsOf(Mode::kAnyThread)), nullptr);
  EXPECT_EQ(smallest, 8u);
  EXPECT_EQ(completions, 16u);
  EXPECT_EQ(why_.system_error, ENOMEM);
}

TEST_F(UringSetupTest, BudgetThatTheKernelReleasesLateIsWaitedFor) {
  MemlockLedger::Charge(8192);
  MemlockLedger::Release(8192);  // as after the close of a ring
  int failures = 3;
  kernel_.on_setup = [&](uint32_t, const io_uring_params&) { return failures-- > 0 ? -ENOMEM : 1; };
  const std::unique_ptr<Engine> engine = Make(OptionsOf(Mode::kAnyThread));
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().submission_count, 128u);
}

TEST_F(UringSetupTest, SqpollIsRequiredByKindIoUringAndOptionalForAuto) {
  kernel_.on_setup = [](uint32_t, const io_uring_params& params) {
    return (params.flags & IORING_SETUP_SQPOLL) != 0 ? -EPERM : 1;
  };
  EngineOptions options = OptionsOf(Mode::kSqpoll);
  EXPECT_EQ(Make(options), nullptr);
  EXPECT_EQ(why_.code, Code::kPermission);
  EXPECT_EQ(why_.system_error, EPERM);
  EXPECT_THAT(why_.message, HasSubstr("SQPOLL"));
  options.kind = EngineKind::kAuto;
  const std::unique_ptr<Engine> engine = Make(options);
  ASSERT_NE(engine, nullptr);
  EXPECT_FALSE(engine->info().sqpoll);
}

// 5.6 to 5.10 have SQPOLL for registered files only.
TEST_F(UringSetupTest, SqpollForRegisteredFilesOnlyIsNotUsed) {
  kernel_.features = ~uint32_t{IORING_FEAT_SQPOLL_NONFIXED};
  EXPECT_EQ(Make(OptionsOf(Mode::kSqpoll)), nullptr);
  EXPECT_EQ(why_.code, Code::kUnsupported);
}

// Before 5.13 the kernel rejects submissions while completions wait for room.
TEST_F(UringSetupTest, Before513TheCompletionQueueHasRoomForAllInFlight) {
  kernel_.features = ~uint32_t{IORING_FEAT_RSRC_TAGS};
  EngineOptions options = OptionsOf(Mode::kAnyThread);
  options.in_flight_max = 1000;
  const std::unique_ptr<Engine> engine = Make(options);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().completion_count, 1024u);
  EXPECT_EQ(engine->info().submission_count, 128u);
  EXPECT_EQ(engine->info().features & kFeatureBufferTags, 0u);
}

TEST_F(UringSetupTest, WithoutTheSparseFlagATableOfEmptyRangesIsMade) {
  SKIP_UNLESS(MakeUring(Mode::kAnyThread)->info().fixed_buffer_count != 0, "fixed_buffers");
  kernel_.sparse_flag = false;
  EngineOptions options = OptionsOf(Mode::kAnyThread);
  options.fixed_file_count = 8;
  const std::unique_ptr<Engine> engine = Make(options);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().fixed_buffer_count, 1024u);
  EXPECT_EQ(engine->info().fixed_file_count, 8u);
  const TempFile file(Bytes(8));
  EXPECT_EQ(engine->SetFile(7, file.fd()), 0);
  std::vector<char> data(4096);
  const iovec range = {.iov_base = data.data(), .iov_len = data.size()};
  ASSERT_EQ(engine->UpdateBuffers(1023, {&range, 1}, {}), 1);
  const Request read = ReadAt(7, 0, data.data(), 8, kRequestFixedFile);
  EXPECT_EQ(Results(*engine, {In(1023, read), In(0, read)}), Values({8, -EFAULT}));
}

// 5.6 to 5.12 have only IORING_REGISTER_BUFFERS and no empty slots: an empty range gives EFAULT.
TEST_F(UringSetupTest, WithoutUpdatesTheTableIsRegisteredWhole) {
  SKIP_UNLESS(MakeUring(Mode::kAnyThread)->info().fixed_buffer_count != 0, "fixed_buffers");
  kernel_.denied_register_opcodes = {IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS_UPDATE};
  for (const bool has_empty_slots : {false, true}) {
    bool tried = has_empty_slots;
    kernel_.on_register = [&tried](uint32_t opcode) {
      if (opcode != IORING_REGISTER_BUFFERS || tried) return 1;
      tried = true;
      return -EFAULT;
    };
    EngineOptions options = OptionsOf(Mode::kAnyThread);
    options.fixed_buffer_count = 4096;
    const std::unique_ptr<Engine> engine = Make(options);
    ASSERT_NE(engine, nullptr);
    EXPECT_EQ(engine->info().fixed_buffer_count, 1024u);
    EXPECT_EQ(engine->info().table_error, 0);
    EXPECT_NE(engine->info().features & kFeatureFixedBuffers, 0u);
    EXPECT_EQ(
        engine->info().features & (kFeatureBufferUpdate | kFeatureSparseTable | kFeatureBufferTags),
        0u);
    std::vector<char> data(4096);
    const iovec range = {.iov_base = data.data(), .iov_len = data.size()};
    EXPECT_EQ(engine->UpdateBuffers(0, {&range, 1}, {}), -EOPNOTSUPP);
    const TempFile file(Bytes(8));
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(engine->RegisterBuffers({&range, 1}), 0);
      EXPECT_EQ(engine->RegisterBuffers({&range, 1}), -EBUSY);
      EXPECT_EQ(Results(*engine, {In(0, ReadAt(file.fd(), 0, data.data(), 8))}), Values({8}));
      ASSERT_EQ(engine->UnregisterBuffers(), 0);
    }
    EXPECT_EQ(Results(*engine, {In(0, ReadAt(file.fd(), 0, data.data(), 8))}), Values({-EFAULT}));
  }
}

TEST_F(UringSetupTest, WithoutTablesTheRingIsMadeAndReportsTheErrno) {
  kernel_.denied_register_opcodes = {IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS,
                                     IORING_REGISTER_FILES2, IORING_REGISTER_FILES};
  EngineOptions options = OptionsOf(Mode::kAnyThread);
  options.fixed_file_count = 8;
  const std::unique_ptr<Engine> engine = Make(options);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().fixed_buffer_count, 0u);
  EXPECT_EQ(engine->info().table_error, EINVAL);
  EXPECT_EQ(engine->info().fixed_file_count, 0u);
  EXPECT_EQ(engine->info().features & (kFeatureSparseTable | kFeatureFixedFiles), 0u);
}

TEST_F(UringSetupTest, ClosingFileSlotsIsTriedWhereNoOpcodeShowsIt) {
  kernel_.missing_opcodes = {IORING_OP_LINKAT};
  EngineOptions options = OptionsOf(Mode::kAnyThread);
  options.fixed_file_count = 1;
  const std::unique_ptr<Engine> engine = Make(options);
  ASSERT_NE(engine, nullptr);
  const TempFile file(Bytes(8));
  ASSERT_EQ(engine->SetFile(0, file.fd()), 0);
  EXPECT_EQ(Results(*engine, {{.opcode = Opcode::kClose, .flags = kRequestFixedFile, .fd = 0}}),
            Values({0}));
  // Without the trial the engine must not submit the close: an older kernel would close descriptor
  // 0.
  kernel_.on_setup = [](uint32_t entries, const io_uring_params&) {
    return entries == 1 ? -ENOMEM : 1;
  };
  const std::unique_ptr<Engine> older = Make(options);
  ASSERT_NE(older, nullptr);
  EXPECT_LT(Results(*older, {{.opcode = Opcode::kClose, .flags = kRequestFixedFile, .fd = 0}})[0],
            0);
  EXPECT_NE(fcntl(0, F_GETFD), -1);
}

TEST_F(UringSetupTest, WithoutWaitTimeoutsWaitsStillEnd) {
  kernel_.features = ~uint32_t{IORING_FEAT_EXT_ARG};
  const std::unique_ptr<Engine> engine = Make(OptionsOf(Mode::kAnyThread));
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->info().features & kFeatureWaitTimeout, 0u);
  const int64_t before = MonotonicNow();
  ExpectNone(*engine);
  EXPECT_GE(MonotonicNow() - before, 20'000'000);
  engine->Wake();
  Event event;
  EXPECT_EQ(engine->Reap({&event, 1}, 1, Patience()), 0u);
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
}

}  // namespace
}  // namespace mooring
