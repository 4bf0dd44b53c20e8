// Engine: which of the two engines a ring has, the reason, and that an explicit choice is never
// replaced (rule 5).

#include <linux/io_uring.h>
#include <sys/resource.h>

#include <cstring>
#include <string>

#include "testing/support/conformance_fixture.h"
#include "testing/support/privileges.h"

namespace mooring::conformance {
namespace {

class Engine : public ConformanceTest {
 protected:
  static mooring_facts_t Facts() {
    mooring_facts_t facts{};
    facts.struct_size = sizeof facts;
    EXPECT_OK(mooring_facts_get(&facts));
    return facts;
  }

  static bool IsTerminated(const char* text, size_t size) {
    return std::memchr(text, '\0', size) != nullptr;
  }
};

CONFORMANCE_TEST(Engine, Rule5IsTheExpectedOneAndReportsTheReason, kAnywhere) {
  const Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  const mooring_ring_info_t info = Info(ring);
  const Expectation& expected = CurrentExpectation();
  EXPECT_EQ(info.engine, expected.engine) << info.message;
  EXPECT_EQ(info.engine_reason, expected.engine_reason) << info.message;
  EXPECT_EQ(info.system_error, expected.engine_system_error) << info.message;
  EXPECT_EQ(info.flags & (MOORING_RING_OWNER_THREAD | MOORING_RING_SQPOLL), expected.ring_flags);
  ASSERT_TRUE(IsTerminated(info.message, sizeof info.message));
  ASSERT_TRUE(IsTerminated(info.remedy, sizeof info.remedy));
  if (info.engine == MOORING_ENGINE_IO_URING) {
    EXPECT_STREQ(info.message, "");
    EXPECT_STREQ(info.remedy, "");
  } else {
    EXPECT_STRNE(info.message, "");
  }
}

CONFORMANCE_TEST(Engine, Rule5AFallbackHasARemedy, kFallenBack) {
  const Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  const mooring_ring_info_t info = Info(ring);
  EXPECT_STRNE(info.remedy, "");
  switch (info.engine_reason) {
    case MOORING_ENGINE_REASON_MEMLOCK_LIMIT:
      EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "memlock")) << info.remedy;
      break;
    case MOORING_ENGINE_REASON_IO_URING_DENIED:
      EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "seccomp")) << info.remedy;
      break;
    default:
      EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "io_uring")) << info.remedy;
  }
}

CONFORMANCE_TEST(Engine, Rule5IoUringByNameIsNeverReplaced, kAnywhere) {
  mooring_ring_options_t options = RingOptions();
  options.engine = MOORING_ENGINE_IO_URING;
  const mooring_code_t expected = CurrentExpectation().named_io_uring_code;
  mooring_ring_t* ring = nullptr;
  mooring_error_t* error = mooring_ring_create(&options, &ring);
  const Ring owner(ring);
  if (expected == MOORING_CODE_OK) {
    // The threads configuration does not define what else the machine has.
    if (CurrentExpectation().engine_reason == MOORING_ENGINE_REASON_POLICY && error != nullptr) {
      mooring_error_destroy(error);
      return;
    }
    ASSERT_OK(error);
    EXPECT_EQ(Info(owner).engine, MOORING_ENGINE_IO_URING);
    return;
  }
  const Ring fallen_back = CreateRing();
  ASSERT_NE(fallen_back, nullptr);
  const Failure failure = Take(error);
  EXPECT_EQ(failure.code, expected) << failure.ToString();
  EXPECT_EQ(ring, nullptr);
  EXPECT_EQ(failure.system_error, CurrentExpectation().engine_system_error);
  // The error and the ring's information have the same text.
  EXPECT_EQ(failure.message.substr(0, sizeof(mooring_ring_info_t::message) - 1),
            Info(fallen_back).message);
  EXPECT_EQ(failure.remedy.substr(0, sizeof(mooring_ring_info_t::remedy) - 1),
            Info(fallen_back).remedy);
}

CONFORMANCE_TEST(Engine, Rule5ThreadsByNameAreNeverReplaced, kAnywhere) {
  mooring_ring_options_t options = RingOptions();
  options.engine = MOORING_ENGINE_THREADS;
  options.flags &= ~static_cast<uint32_t>(MOORING_RING_SQPOLL);
  options.worker_count = 3;
  const Ring ring = CreateRing(options);
  ASSERT_NE(ring, nullptr);
  const mooring_ring_info_t info = Info(ring);
  EXPECT_EQ(info.engine, MOORING_ENGINE_THREADS);
  EXPECT_EQ(info.engine_reason, MOORING_ENGINE_REASON_POLICY);
  EXPECT_EQ(info.worker_count, 3u);
  EXPECT_EQ(info.setup_flags, 0u);
  EXPECT_EQ(info.fixed_buffer_count, 0u);
}

CONFORMANCE_TEST(Engine, ReportsItsActualSizes, kAnywhere) {
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 16;
  options.completion_count = 64;
  options.in_flight_max = 48;
  options.fixed_buffer_count = 32;
  const Ring ring = CreateRing(options);
  ASSERT_NE(ring, nullptr);
  const mooring_ring_info_t info = Info(ring);
  EXPECT_GE(info.submission_count, 16u);
  EXPECT_GE(info.completion_count, 64u);
  EXPECT_EQ(info.in_flight_max, 48u);
  if (info.engine == MOORING_ENGINE_IO_URING) {
    EXPECT_EQ(info.fixed_buffer_count, 32u);
    EXPECT_EQ(info.worker_count, 0u);
  } else {
    EXPECT_EQ(info.fixed_buffer_count, 0u);
    EXPECT_GE(info.worker_count, 1u);
  }
}

CONFORMANCE_TEST(Engine, OwnerThreadSetsTheKernelsFlags, kOwnerThread) {
  const Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  EXPECT_NE(Info(ring).setup_flags & IORING_SETUP_SINGLE_ISSUER, 0u);
  EXPECT_NE(Info(ring).setup_flags & IORING_SETUP_DEFER_TASKRUN, 0u);
}

CONFORMANCE_TEST(Engine, AnyThreadRingsHaveNoOwner, kIoUring | kAnyThread) {
  const Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(Info(ring).setup_flags & (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN), 0u);
  const bool polled = (CurrentExpectation().ring_flags & MOORING_RING_SQPOLL) != 0;
  EXPECT_EQ((Info(ring).setup_flags & IORING_SETUP_SQPOLL) != 0, polled);
}

CONFORMANCE_TEST(Engine, FactsReportTheEngineThatAutoTakes, kAnywhere) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  const Ring ring = CreateRing(options);
  ASSERT_NE(ring, nullptr);
  const mooring_ring_info_t info = Info(ring);
  const mooring_facts_t facts = Facts();
  EXPECT_EQ(facts.engine, info.engine);
  EXPECT_EQ(facts.engine_reason, info.engine_reason);
  EXPECT_EQ(facts.engine_system_error, info.system_error);
  if (info.engine_reason != MOORING_ENGINE_REASON_MEMLOCK_LIMIT) {  // its text has the ring's size
    EXPECT_STREQ(facts.engine_message, info.message);
    EXPECT_STREQ(facts.engine_remedy, info.remedy);
  }
  EXPECT_EQ(info.engine == MOORING_ENGINE_THREADS, std::string(facts.engine_message) != "");
  // A ring reports the features that it found; mooring_facts_get tests for more.
  EXPECT_EQ(info.features & ~facts.features, 0u);
  if (facts.engine == MOORING_ENGINE_THREADS) {
    EXPECT_EQ(facts.features, 0u);
  }
}

CONFORMANCE_TEST(Engine, FactsReportTheLimitsOfThisProcess, kAnywhere) {
  const mooring_facts_t facts = Facts();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  EXPECT_EQ(facts.memlock_soft_bytes, limit.rlim_cur);  // RLIM_INFINITY is UINT64_MAX too
  EXPECT_EQ(facts.memlock_hard_bytes, limit.rlim_max);
  EXPECT_EQ(facts.memlock_exempt, IsMemlockExempt() ? 1u : 0u);
  EXPECT_EQ(facts.page_bytes, 4096u);
  EXPECT_GE(facts.numa_node_count, 1u);
  EXPECT_GE(facts.cpu_count, 1u);
  EXPECT_STRNE(facts.kernel_release, "");
}

CONFORMANCE_TEST(Engine, FactsReportTheChargesOfThisProcess, kPinned | kBasePages) {
  if (IsMemlockExempt()) return;  // then nothing is charged
  const uint64_t before = Facts().memlock_used_bytes;
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  EXPECT_EQ(Facts().memlock_used_bytes, before + Info(ring).memlock_bytes + kSlabBytes);
}

}  // namespace
}  // namespace mooring::conformance
