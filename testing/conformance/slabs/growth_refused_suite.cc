// GrowthRefused: a grow that fails changes nothing and reports why.

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "testing/support/conformance_fixture.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

class GrowthRefused : public ConformanceTest {
 protected:
  static Slab Make(uint64_t buffer_count, uint64_t buffer_count_max,
                   uint64_t buffer_bytes = kBufferBytes) {
    mooring_slab_options_t options = SlabOptions(buffer_count, buffer_bytes);
    options.buffer_count_max = buffer_count_max;
    return CreateSlab(options);
  }

  // The state that must not change.
  struct Before {
    explicit Before(const Slab& slab) : info(Info(slab)) {}
    void ExpectSame(const Slab& slab) const {
      const mooring_slab_info_t now = Info(slab);
      EXPECT_EQ(now.buffer_count, info.buffer_count);
      EXPECT_EQ(now.total_bytes, info.total_bytes);
      EXPECT_EQ(now.touched_bytes, info.touched_bytes);
      EXPECT_EQ(now.leased_count, info.leased_count);
    }
    const mooring_slab_info_t info;
  };
};

CONFORMANCE_TEST(GrowthRefused, BeyondTheMaximum, kAnywhere) {
  const Slab slab = Make(32, 40);
  const Before before(slab);
  EXPECT_REFUSED(mooring_slab_grow(slab.get(), 9), MOORING_CODE_INVALID_ARGUMENT, "32", "40", "9");
  EXPECT_REFUSED(mooring_slab_grow(slab.get(), UINT64_MAX), MOORING_CODE_INVALID_ARGUMENT);
  EXPECT_REFUSED(mooring_slab_grow(slab.get(), 0), MOORING_CODE_INVALID_ARGUMENT, "buffer_count");
  EXPECT_REFUSED(mooring_slab_grow(nullptr, 1), MOORING_CODE_INVALID_ARGUMENT, "NULL");
  before.ExpectSame(slab);
  EXPECT_OK(mooring_slab_grow(slab.get(), 8));
}

CONFORMANCE_TEST(GrowthRefused, OfASlabThatCannotGrow, kAnywhere) {
  const Slab fixed = CreateSlab();
  EXPECT_EQ(Info(fixed).buffer_count_max, kBufferCount);
  EXPECT_REFUSED(mooring_slab_grow(fixed.get(), 1), MOORING_CODE_INVALID_ARGUMENT,
                 "buffer_count_max");
  const MappedMemory memory(kBufferBytes);
  const Slab adopted = Adopt(memory.data(), memory.size());
  EXPECT_EQ(Info(adopted).buffer_count_max, 1u);
  EXPECT_REFUSED(mooring_slab_grow(adopted.get(), 1), MOORING_CODE_UNSUPPORTED, "adopted");
  const Fd memfd(memfd_create("growth", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(memfd.get(), kBufferBytes), 0);
  mooring_slab_t* made = nullptr;
  ASSERT_OK(mooring_slab_import(memfd.get(), 0, 0, nullptr, &made));
  const Slab imported(made);
  EXPECT_REFUSED(mooring_slab_grow(imported.get(), 1), MOORING_CODE_UNSUPPORTED, "imported");
}

CONFORMANCE_TEST(GrowthRefused, OfAClosedSlab, kAnywhere) {
  const Slab slab = Make(kBufferCount, 2 * kBufferCount);
  ASSERT_OK(mooring_slab_close(slab.get(), kPatienceNs));
  EXPECT_REFUSED(mooring_slab_grow(slab.get(), 1), MOORING_CODE_INVALID_STATE, "closed");
}

CONFORMANCE_TEST(GrowthRefused, InvalidMaxima, kAnywhere) {
  mooring_slab_t* slab = nullptr;
  mooring_slab_options_t options = SlabOptions(8, 4096);
  options.buffer_count_max = 7;
  EXPECT_REFUSED(mooring_slab_create(&options, &slab), MOORING_CODE_INVALID_ARGUMENT,
                 "buffer_count_max", "7");
  options.buffer_count_max = (uint64_t{1} << 24) + 1;
  EXPECT_REFUSED(mooring_slab_create(&options, &slab), MOORING_CODE_INVALID_ARGUMENT,
                 "buffer_count_max");
  options.buffer_bytes = uint64_t{1} << 62;
  options.buffer_count = 1;
  options.buffer_count_max = 4;
  EXPECT_REFUSED(mooring_slab_create(&options, &slab), MOORING_CODE_INVALID_ARGUMENT);
  options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_count_max = 64;
  const MappedMemory memory(4096);
  EXPECT_REFUSED(mooring_slab_adopt(memory.data(), memory.size(), &options, &slab),
                 MOORING_CODE_INVALID_ARGUMENT, "buffer_count_max");
}

CONFORMANCE_TEST(GrowthRefused, WithoutEnoughMemory, kBasePages) {
  mooring_slab_options_t options = SlabOptions(1, uint64_t{1} << 20);
  options.buffer_count_max = 8192;
  options.touch = MOORING_TOUCH_NONE;
  const Slab slab = CreateSlab(options);
  ASSERT_NE(slab, nullptr);
  const Before before(slab);
  // Room for 1 GiB more of writable memory. The test needs only a small part of it.
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &limit), 0);
  const rlimit lowered{(std::stoull(StatusLine("VmData")) << 10) + (uint64_t{1} << 30),
                       limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &lowered), 0);
  EXPECT_REFUSED(mooring_slab_grow(slab.get(), 8191), MOORING_CODE_EXHAUSTED);
  before.ExpectSame(slab);
  EXPECT_OK(mooring_slab_grow(slab.get(), 1));
  EXPECT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
  EXPECT_EQ(Info(slab).buffer_count, 2u);
}

CONFORMANCE_TEST(GrowthRefused, Rule5PreferPinsAsMuchAsFits, kPartial) {
  const Ring ring = CreateRing();
  const Slab slab = Make(4, 4 + kBufferCount);
  const Registration registration = Register(ring, slab);
  ASSERT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  ASSERT_OK(mooring_slab_grow(slab.get(), kBufferCount));
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_PARTIAL);
  EXPECT_EQ(info.reason, MOORING_REASON_MEMLOCK_LIMIT);
  EXPECT_EQ(info.bytes_requested, 4 * kBufferBytes + kSlabBytes);
  EXPECT_GE(info.bytes_fixed, 4 * kBufferBytes) << "pinned bytes were released";
  EXPECT_GT(info.memlock_used_bytes + kBufferBytes, info.memlock_soft_bytes)
      << "one more buffer would fit";

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit raised{before.rlim_max, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &raised), 0);
  EXPECT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  EXPECT_EQ(setrlimit(RLIMIT_MEMLOCK, &before), 0);
}

CONFORMANCE_TEST(GrowthRefused, Rule5RequireRevertsTheWholeGrowth, kPartial) {
  const Ring ring = CreateRing();
  const Ring other_ring = CreateRing();
  const Slab slab = Make(2, 2 + kBufferCount);
  const Registration first = Register(ring, slab, RegistrationOptions(MOORING_POLICY_REQUIRE));
  // Other extent sizes than the first, so it cannot clone. The growth fits once but not twice, so
  // the first registration must release its part.
  mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
  options.extent_bytes_max = 2 * kBufferBytes;
  const Registration second = Register(other_ring, slab, options);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  const Before before(slab);
  const Failure failure = Take(mooring_slab_grow(slab.get(), 5));
  EXPECT_EQ(failure.code, MOORING_CODE_MEMLOCK_LIMIT) << failure.ToString();
  EXPECT_EQ(failure.system_error, ENOMEM);
  EXPECT_TRUE(ContainsSize(failure.message, 7 * kBufferBytes)) << failure.message;
  EXPECT_TRUE(ContainsIgnoringCase(failure.remedy, "CAP_IPC_LOCK")) << failure.remedy;
  before.ExpectSame(slab);
  for (const Registration* registration : {&first, &second}) {
    EXPECT_EQ(Info(*registration).outcome, MOORING_OUTCOME_FIXED) << Info(*registration).message;
    EXPECT_EQ(Info(*registration).bytes_requested, 2 * kBufferBytes);
  }
  mooring_lease_t lease{};
  EXPECT_REFUSED(mooring_slab_acquire(slab.get(), 3, &lease), MOORING_CODE_INVALID_ARGUMENT);

  // The budget is available again, for a smaller growth. Up to 6.3 the kernel returns it a second
  // late.
  EXPECT_TRUE(Eventually([&] { return Take(mooring_slab_grow(slab.get(), 1)).ok(); }));
  EXPECT_EQ(Info(first).bytes_fixed, 3 * kBufferBytes);
  EXPECT_EQ(Info(second).bytes_fixed, 3 * kBufferBytes);
}

CONFORMANCE_TEST(GrowthRefused, TheOwnerPinsTheGrowthOfItsRing, kOwnerThread | kPinned) {
  const Ring ring = CreateRing();
  const Slab slab = Make(kBufferCount, 2 * kBufferCount);
  const Registration registration = Register(ring, slab);
  std::thread([&] { EXPECT_OK(mooring_slab_grow(slab.get(), kBufferCount)); }).join();
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.bytes_requested, 2 * kSlabBytes);
  EXPECT_EQ(info.bytes_fixed, kSlabBytes);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_PARTIAL);
  EXPECT_EQ(info.reason, MOORING_REASON_OWNER_THREAD);
  EXPECT_TRUE(ContainsIgnoringCase(info.message, "thread")) << info.message;
  EXPECT_STRNE(info.remedy, "");
  EXPECT_EQ(RunOne(ring, Nop()).result, 0);
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  EXPECT_EQ(Info(registration).reason, MOORING_REASON_NONE);
}

CONFORMANCE_TEST(GrowthRefused, RequireIsForTheOwnerOnly, kOwnerThread | kPinned) {
  const Ring ring = CreateRing();
  const Slab slab = Make(kBufferCount, 2 * kBufferCount);
  const Registration registration =
      Register(ring, slab, RegistrationOptions(MOORING_POLICY_REQUIRE));
  const Before before(slab);
  std::thread([&] {
    EXPECT_REFUSED(mooring_slab_grow(slab.get(), kBufferCount), MOORING_CODE_INVALID_STATE, "owner",
                   "REQUIRE");
  }).join();
  before.ExpectSame(slab);
  EXPECT_EQ(Info(registration).bytes_requested, kSlabBytes);
  EXPECT_OK(mooring_slab_grow(slab.get(), kBufferCount));
  EXPECT_EQ(Info(registration).bytes_fixed, 2 * kSlabBytes);
}

}  // namespace
}  // namespace mooring::conformance
