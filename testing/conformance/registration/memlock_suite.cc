// Memlock: registrations under a limit that is too small, and after the limit is raised.

#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class Memlock : public ConformanceTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before_), 0);
    ring_ = CreateRing();
    slab_ = CreateSlab();
    ASSERT_NE(ring_, nullptr);
    ASSERT_NE(slab_, nullptr);
  }

  void TearDown() override { EXPECT_EQ(setrlimit(RLIMIT_MEMLOCK, &before_), 0); }

  void RaiseSoftToHard() const {
    rlimit limit = before_;
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
  }

  static uint64_t SoftLimit() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return limit.rlim_cur;
  }

  mooring_path_t PathOfRead(const Registration& registration, uint64_t offset, uint64_t size) {
    const mooring_completion_t read =
        RunOne(ring_, Read(file_.get(), 0, InSlab(registration.get(), offset), size));
    EXPECT_EQ(read.result, static_cast<int64_t>(size));
    EXPECT_TRUE(HasPattern(Data(slab_) + offset, 26, 0, size));
    return read.path;
  }

  rlimit before_{};
  const TempDir dir_;
  const Fd file_ = dir_.Create("data", Pattern(26, 0, kSlabBytes));
  Ring ring_;
  Slab slab_;
};

CONFORMANCE_TEST(Memlock, Rule8APrefixIsPinnedAndTheRestWorks, kPartial) {
  const Registration registration = Register(ring_, slab_);
  const uint64_t fixed = Info(registration).bytes_fixed;
  ASSERT_GT(fixed, 0u);
  ASSERT_LT(fixed, kSlabBytes);
  EXPECT_EQ(PathOfRead(registration, 0, fixed), MOORING_PATH_FIXED);
  EXPECT_EQ(PathOfRead(registration, fixed, kSlabBytes - fixed), MOORING_PATH_COPY);
  EXPECT_EQ(PathOfRead(registration, fixed - 512, 1024), MOORING_PATH_COPY);
  EXPECT_EQ(PathOfRead(registration, 0, kSlabBytes), MOORING_PATH_COPY);
  EXPECT_EQ(Stats(ring_).read_fixed, 1u);
  EXPECT_EQ(Stats(ring_).read, 3u);
}

CONFORMANCE_TEST(Memlock, Rule8ThePrefixIsTheLargestThatFits, kPartial) {
  const Registration registration = Register(ring_, slab_);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.memlock_soft_bytes, before_.rlim_cur);
  EXPECT_EQ(info.bytes_fixed % kBufferBytes, 0u) << "no lease can use a part of a buffer";
  // One more buffer would not fit, if the reported charge of the process is right.
  EXPECT_LE(info.memlock_used_bytes, info.memlock_soft_bytes);
  EXPECT_GT(info.memlock_used_bytes + kBufferBytes, info.memlock_soft_bytes);
}

CONFORMANCE_TEST(Memlock, Rule5TheRemedyHasTheLimitAndTheNeed, kPartial) {
  const Registration registration = Register(ring_, slab_);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.system_error, ENOMEM);
  EXPECT_EQ(info.memlock_exempt, 0u);
  EXPECT_TRUE(ContainsSize(info.message, info.memlock_soft_bytes)) << info.message;
  EXPECT_TRUE(ContainsSize(info.message, info.bytes_fixed)) << info.message;
  EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "memlock")) << info.remedy;
  EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "CAP_IPC_LOCK")) << info.remedy;
  // A sufficient number of bytes: the slab, and the other charges of this process.
  const uint64_t need = info.memlock_used_bytes - info.bytes_fixed + kSlabBytes;
  EXPECT_TRUE(ContainsSize(info.remedy, need)) << info.remedy << "\n  need: " << need;
}

CONFORMANCE_TEST(Memlock, TheRemedyWorks, kPartial) {
  Registration registration = Register(ring_, slab_);
  const mooring_registration_info_t info = Info(registration);
  rlimit limit = before_;
  limit.rlim_cur = before_.rlim_cur + (kSlabBytes - info.bytes_fixed);
  ASSERT_LE(limit.rlim_cur, limit.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
}

CONFORMANCE_TEST(Memlock, Rule5RequireFailsWithTheSameTextAndKeepsNothing, kPartial) {
  Registration preferred = Register(ring_, slab_);
  const mooring_registration_info_t info = Info(preferred);
  preferred.reset();
  const uint64_t references = Info(slab_).kernel_reference_count;

  const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
  mooring_registration_t* required = nullptr;
  const Failure failure =
      Take(mooring_registration_create(ring_.get(), slab_.get(), &options, &required));
  EXPECT_EQ(required, nullptr);
  EXPECT_EQ(failure.code, MOORING_CODE_MEMLOCK_LIMIT);
  EXPECT_EQ(failure.system_error, ENOMEM);
  EXPECT_EQ(failure.retry, MOORING_RETRY_AFTER_REMEDY);
  EXPECT_EQ(failure.message, info.message);
  EXPECT_EQ(failure.remedy, info.remedy);
  // The pinned part is released as soon as the kernel reports it. The earlier registration's pins
  // may be released later: up to 6.3 the kernel reports it a second late.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_EQ(RunOne(ring_, Nop()).result, 0);
    return Info(slab_).kernel_reference_count <= references;
  })) << Info(slab_).kernel_reference_count
      << " references, " << references << " before";

  // The whole budget is available for the next registration.
  EXPECT_EQ(Info(Register(ring_, slab_)).bytes_fixed, info.bytes_fixed);
}

CONFORMANCE_TEST(Memlock, ADestroyedRegistrationReturnsItsBudget, kPartial) {
  const uint64_t first = Info(Register(ring_, slab_)).bytes_fixed;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Info(Register(ring_, slab_)).bytes_fixed, first);
}

CONFORMANCE_TEST(Memlock, Rule5ASpentBudgetLeavesTheCopyPath, kPartial) {
  const Registration first = Register(ring_, slab_);
  const Slab other = CreateSlab();
  const Registration second = Register(ring_, other);
  const mooring_registration_info_t info = Info(second);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY) << info.bytes_fixed;
  EXPECT_EQ(info.reason, MOORING_REASON_MEMLOCK_LIMIT);
  EXPECT_EQ(info.system_error, ENOMEM);
  EXPECT_EQ(PathOfRead(first, 0, 4096), MOORING_PATH_FIXED);
  const mooring_completion_t read =
      RunOne(ring_, Read(file_.get(), 0, InSlab(second.get(), 0), 4096));
  EXPECT_EQ(read.result, 4096);
  EXPECT_EQ(read.path, MOORING_PATH_COPY);
}

CONFORMANCE_TEST(Memlock, PromoteAfterTheLimitIsRaisedPinsTheRest, kPartial) {
  const Registration registration = Register(ring_, slab_);
  EXPECT_EQ(PathOfRead(registration, kSlabBytes - 4096, 4096), MOORING_PATH_COPY);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_PARTIAL) << "nothing has changed yet";

  RaiseSoftToHard();
  ASSERT_OK(mooring_registration_promote(registration.get()));
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_FIXED) << info.message;
  EXPECT_EQ(info.reason, MOORING_REASON_NONE);
  EXPECT_EQ(info.bytes_fixed, kSlabBytes);
  EXPECT_STREQ(info.message, "");
  EXPECT_EQ(PathOfRead(registration, kSlabBytes - 4096, 4096), MOORING_PATH_FIXED);
}

CONFORMANCE_TEST(Memlock, PromoteDoesNotAffectOperationsInFlight, kPartial) {
  const Pipe pipe;
  const Registration registration = Register(ring_, slab_);
  Submit(ring_,
         {WithUserData(ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), 512), 1),
          WithUserData(
              ReadStream(pipe.read_fd(), InSlab(registration.get(), kSlabBytes - 512), 512), 2)});
  RaiseSoftToHard();
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED);
  const std::vector<std::byte> sent = Pattern(27, 0, 1024);
  pipe.Write(sent.data(), 512);
  const mooring_completion_t first = Reap(ring_, 1).front();
  pipe.Write(sent.data() + 512, 512);
  const mooring_completion_t second = Reap(ring_, 1).front();
  EXPECT_EQ(first.result, 512);
  EXPECT_EQ(second.result, 512);
  const bool in_order = first.user_data == 1;
  EXPECT_TRUE(HasPattern(Data(slab_), 27, in_order ? 0 : 512, 512));
  EXPECT_TRUE(HasPattern(Data(slab_) + kSlabBytes - 512, 27, in_order ? 512 : 0, 512));
}

CONFORMANCE_TEST(Memlock, PromoteIsForAnyThreadWhileTheRingIsInUse, kPartial | kAnyThread) {
  const Registration registration = Register(ring_, slab_);
  RaiseSoftToHard();
  std::atomic<bool> done{false};
  std::thread promoter([&] {
    EXPECT_OK(mooring_registration_promote(registration.get()));
    done = true;
  });
  const mooring_op_t read =
      Read(file_.get(), kSlabBytes - 4096, InSlab(registration.get(), kSlabBytes - 4096), 4096);
  do {
    EXPECT_EQ(RunOne(ring_, read).result, 4096);
  } while (!done);
  promoter.join();
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  EXPECT_EQ(RunOne(ring_, read).path, MOORING_PATH_FIXED);
  EXPECT_TRUE(HasPattern(Data(slab_) + kSlabBytes - 4096, 26, kSlabBytes - 4096, 4096));
}

CONFORMANCE_TEST(Memlock, ADestroyedRegistrationPromotesAWaitingOne, kPartial) {
  Registration first = Register(ring_, slab_);
  const Slab other = CreateSlab();
  const Registration second = Register(ring_, other);
  ASSERT_EQ(Info(second).outcome, MOORING_OUTCOME_COPY);
  const uint64_t fixed = Info(first).bytes_fixed;
  first.reset();
  // Up to Linux 6.3 the kernel returns the budget a second after the slot was cleared.
  EXPECT_TRUE(Eventually([&] {
    if (Info(second).bytes_fixed > 0) return true;
    EXPECT_OK(mooring_registration_promote(second.get()));
    return false;
  }));
  EXPECT_EQ(Info(second).bytes_fixed, fixed) << Info(second).message;
  EXPECT_EQ(RunOne(ring_, Read(file_.get(), 0, InSlab(second.get(), 0), 4096)).path,
            MOORING_PATH_FIXED);
}

CONFORMANCE_TEST(Memlock, RaisesTheSoftLimitOnlyWithTheFlag, kPartial) {
  const Registration without_flag = Register(ring_, slab_);
  EXPECT_EQ(SoftLimit(), before_.rlim_cur);
  EXPECT_EQ(Info(without_flag).outcome, MOORING_OUTCOME_PARTIAL);

  mooring_registration_options_t options = RegistrationOptions();
  options.flags = MOORING_REGISTRATION_RAISE_MEMLOCK;
  const Slab other = CreateSlab();
  const Registration with_flag = Register(ring_, other, options);
  EXPECT_EQ(SoftLimit(), before_.rlim_max);
  EXPECT_EQ(Info(with_flag).outcome, MOORING_OUTCOME_FIXED) << Info(with_flag).message;
}

CONFORMANCE_TEST(Memlock, Rule6AZeroLimitPinsNothingAndEverythingWorks, kNoMemlock) {
  const Registration registration = Register(ring_, slab_);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.memlock_soft_bytes, 0u);
  EXPECT_EQ(info.bytes_fixed, 0u);
  EXPECT_EQ(PathOfRead(registration, 0, kSlabBytes), MOORING_PATH_COPY);
  EXPECT_EQ(Stats(ring_).read_fixed, 0u);
}

}  // namespace
}  // namespace mooring::conformance
