// Registrations: as much of a slab is pinned as the machine allows, and the report is exact (rule
// 5).

#include <sys/resource.h>

#include <cstring>
#include <string>

#include "testing/support/conformance_fixture.h"
#include "testing/support/privileges.h"

namespace mooring::conformance {
namespace {

class Registrations : public ConformanceTest {
 protected:
  void SetUp() override {
    ring_ = CreateRing();
    slab_ = CreateSlab();
    ASSERT_NE(ring_, nullptr);
    ASSERT_NE(slab_, nullptr);
  }

  Ring ring_;
  Slab slab_;
};

CONFORMANCE_TEST(Registrations, Rule5OutcomeAndReasonAreAsExpected, kAnywhere) {
  const Registration registration = Register(ring_, slab_);
  ASSERT_NE(registration, nullptr);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.policy, MOORING_POLICY_PREFER);
  EXPECT_EQ(info.outcome, CurrentExpectation().outcome) << info.message;
  EXPECT_EQ(info.reason, CurrentExpectation().reason) << info.message;
  EXPECT_EQ(info.bytes_requested, kSlabBytes);
  switch (info.outcome) {
    case MOORING_OUTCOME_FIXED:
      EXPECT_EQ(info.bytes_fixed, kSlabBytes);
      EXPECT_EQ(info.system_error, 0);
      EXPECT_STREQ(info.message, "");
      EXPECT_STREQ(info.remedy, "");
      break;
    case MOORING_OUTCOME_PARTIAL:
      EXPECT_GT(info.bytes_fixed, 0u);
      EXPECT_LT(info.bytes_fixed, kSlabBytes);
      EXPECT_STRNE(info.message, "");
      EXPECT_STRNE(info.remedy, "");
      break;
    default:
      EXPECT_EQ(info.bytes_fixed, 0u);
      EXPECT_STRNE(info.message, "");
      EXPECT_STRNE(info.remedy, "");
  }
}

CONFORMANCE_TEST(Registrations, NumbersAreThoseOfTheProcess, kAnywhere) {
  const Registration registration = Register(ring_, slab_);
  ASSERT_NE(registration, nullptr);
  const mooring_registration_info_t info = Info(registration);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  EXPECT_EQ(info.memlock_soft_bytes, limit.rlim_cur);
  EXPECT_EQ(info.memlock_hard_bytes, limit.rlim_max);
  EXPECT_EQ(info.reserved, 0u);
  if (CurrentExpectation().engine == MOORING_ENGINE_IO_URING) {
    EXPECT_EQ(info.memlock_exempt, IsMemlockExempt() ? 1u : 0u);
  }
  if (!IsMemlockExempt()) {
    EXPECT_GE(info.memlock_used_bytes, info.bytes_fixed);
  }
}

CONFORMANCE_TEST(Registrations, ExtentsAddUpToTheSum, kAnywhere) {
  const Registration registration = Register(ring_, slab_);
  ASSERT_NE(registration, nullptr);
  const mooring_registration_info_t info = Info(registration);
  ASSERT_GE(info.extent_count, 1u);
  uint64_t next_offset = 0;
  uint64_t bytes_fixed = 0;
  for (uint32_t i = 0; i < info.extent_count; ++i) {
    const mooring_extent_info_t extent = Extent(registration, i);
    EXPECT_EQ(extent.offset, next_offset);
    EXPECT_LE(extent.bytes_fixed, extent.size);
    next_offset += extent.size;
    bytes_fixed += extent.bytes_fixed;
  }
  EXPECT_EQ(next_offset, kSlabBytes);
  EXPECT_EQ(bytes_fixed, info.bytes_fixed);
  mooring_extent_info_t beyond{};
  beyond.struct_size = sizeof beyond;
  EXPECT_REFUSED(mooring_registration_get_extent(registration.get(), info.extent_count, &beyond),
                 MOORING_CODE_INVALID_ARGUMENT, "index");
}

CONFORMANCE_TEST(Registrations, Rule5RequirePinsTheWholeSlab, kPinned) {
  const Registration registration =
      Register(ring_, slab_, RegistrationOptions(MOORING_POLICY_REQUIRE));
  ASSERT_NE(registration, nullptr);
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED);
  EXPECT_EQ(Info(registration).policy, MOORING_POLICY_REQUIRE);
}

CONFORMANCE_TEST(Registrations, Rule5NeverIsCopyByPolicy, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(21, 0, 4096));
  const Registration registration =
      Register(ring_, slab_, RegistrationOptions(MOORING_POLICY_NEVER));
  ASSERT_NE(registration, nullptr);
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(Info(registration).reason, MOORING_REASON_POLICY);
  EXPECT_EQ(Info(registration).bytes_fixed, 0u);

  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_COPY)
      << "an explicit choice is never rewritten";

  const mooring_completion_t read =
      RunOne(ring_, Read(file.get(), 0, InSlab(registration.get(), 0), 4096));
  EXPECT_EQ(read.result, 4096);
  EXPECT_EQ(read.path, MOORING_PATH_COPY);
  EXPECT_TRUE(HasPattern(Data(slab_), 21, 0, 4096));
  EXPECT_EQ(Stats(ring_).read, 1u);
  EXPECT_EQ(Stats(ring_).read_fixed, 0u);
}

CONFORMANCE_TEST(Registrations, Rule5OperationsTakeTheFixedPathAndAreCounted, kPinned) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(22, 0, kSlabBytes));
  const Registration registration = Register(ring_, slab_);
  for (uint64_t offset = 0; offset < kSlabBytes; offset += kBufferBytes) {
    const Place place = InSlab(registration.get(), offset);
    const auto completions =
        Run(ring_, {WithFlags(Read(file.get(), static_cast<uint64_t>(offset), place, kBufferBytes),
                              MOORING_OPERATION_LINK),
                    Write(file.get(), static_cast<uint64_t>(offset), place, kBufferBytes)});
    EXPECT_EQ(completions[0].path, MOORING_PATH_FIXED);
    EXPECT_EQ(completions[1].path, MOORING_PATH_FIXED);
  }
  EXPECT_EQ(Stats(ring_).read_fixed, kBufferCount);
  EXPECT_EQ(Stats(ring_).write_fixed, kBufferCount);
  EXPECT_EQ(Stats(ring_).read + Stats(ring_).write, 0u);
}

CONFORMANCE_TEST(Registrations, PromoteOfAFixedRegistrationChangesNothing, kPinned) {
  const Registration registration = Register(ring_, slab_);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED);
  EXPECT_EQ(Info(registration).bytes_fixed, kSlabBytes);
}

CONFORMANCE_TEST(Registrations, PromoteOnTheThreadsEngineChangesNothing, kThreads) {
  const Registration registration = Register(ring_, slab_);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(Info(registration).reason, MOORING_REASON_ENGINE_THREADS);
}

CONFORMANCE_TEST(Registrations, Rule5RequireFailsWithTheTextOfPrefer, kThreads) {
  const std::string message = Info(Register(ring_, slab_)).message;
  const std::string remedy = Info(Register(ring_, slab_)).remedy;
  const uint64_t references = Info(slab_).kernel_reference_count;
  const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
  mooring_registration_t* registration = nullptr;
  const Failure failure =
      Take(mooring_registration_create(ring_.get(), slab_.get(), &options, &registration));
  EXPECT_EQ(registration, nullptr);
  EXPECT_EQ(failure.code, MOORING_CODE_UNSUPPORTED);
  EXPECT_EQ(failure.message, message);
  EXPECT_EQ(failure.remedy, remedy);
  EXPECT_EQ(Info(slab_).kernel_reference_count, references)
      << "a registration that failed must keep nothing";
}

CONFORMANCE_TEST(Registrations, AreRefusedOnAnotherRing, kAnywhere) {
  const Ring other = CreateRing();
  const Registration registration = Register(other, slab_);
  const mooring_op_t read = Read(0, 0, InSlab(registration.get(), 0), 512);
  uint32_t accepted = 7;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &read, 1, &accepted), MOORING_CODE_INVALID_STATE,
                 "registration", "ring");
  EXPECT_EQ(accepted, 0u);
}

CONFORMANCE_TEST(Registrations, OutliveTheirRing, kAnywhere) {
  Registration registration = Register(ring_, slab_);
  ring_.reset();
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_COPY) << "nothing is pinned without a ring";
  registration.reset();
  EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
}

}  // namespace
}  // namespace mooring::conformance
