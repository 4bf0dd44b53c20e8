// Extents: a slab is pinned in extents of one table slot each. An operation is fixed when it lies
// within one extent.

#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kExtentBytes = 256 * 1024;

class Extents : public ConformanceTest {
 protected:
  static mooring_registration_options_t InExtents(uint64_t bytes) {
    mooring_registration_options_t options = RegistrationOptions();
    options.extent_bytes_max = bytes;
    return options;
  }

  static mooring_ring_options_t WithSlots(uint32_t count) {
    mooring_ring_options_t options = RingOptions();
    options.fixed_buffer_count = count;
    return options;
  }
};

CONFORMANCE_TEST(Extents, HaveTheRequestedSize, kPinned) {
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, InExtents(kExtentBytes));
  ASSERT_NE(registration, nullptr);
  ASSERT_EQ(Info(registration).extent_count, kSlabBytes / kExtentBytes);
  for (uint32_t i = 0; i < Info(registration).extent_count; ++i) {
    EXPECT_EQ(Extent(registration, i).size, kExtentBytes);
    EXPECT_EQ(Extent(registration, i).outcome, MOORING_OUTCOME_FIXED);
  }
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED);
}

CONFORMANCE_TEST(Extents, AnOperationInOneExtentIsFixedAndOneAcrossTwoIsCopied, kPinned) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(23, 0, 2 * kExtentBytes));
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, InExtents(kExtentBytes));

  struct Case {
    uint64_t offset;
    uint64_t size;
    mooring_path_t path;
  };
  const std::vector<Case> cases = {
      {0, kExtentBytes, MOORING_PATH_FIXED},
      {kExtentBytes - 512, 512, MOORING_PATH_FIXED},
      {kExtentBytes, kExtentBytes, MOORING_PATH_FIXED},
      {kExtentBytes - 512, 1024, MOORING_PATH_COPY},
      {1, kExtentBytes, MOORING_PATH_COPY},
      {512, 2 * kExtentBytes - 1024, MOORING_PATH_COPY},
      {kSlabBytes - 1, 1, MOORING_PATH_FIXED},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE("offset " + std::to_string(one.offset) + ", size " + std::to_string(one.size));
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), one.offset), one.size));
    EXPECT_EQ(read.result, static_cast<int64_t>(one.size));
    EXPECT_EQ(read.path, one.path);
    EXPECT_TRUE(HasPattern(Data(slab) + one.offset, 23, 0, one.size));
  }
  EXPECT_EQ(Stats(ring).read_fixed, 4u);
  EXPECT_EQ(Stats(ring).read, 3u);
}

CONFORMANCE_TEST(Extents, ALeaseAcrossTwoExtentsIsCopied, kPinned) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(24, 0, kExtentBytes));
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, InExtents(kExtentBytes));
  Acquire(slab, 2);
  const mooring_lease_t lease = Acquire(slab, 4);  // buffers 2 to 5; an extent is four buffers
  const mooring_completion_t across =
      RunOne(ring, Read(file.get(), 0, InLease(registration.get(), lease), kExtentBytes));
  EXPECT_EQ(across.result, static_cast<int64_t>(kExtentBytes));
  EXPECT_EQ(across.path, MOORING_PATH_COPY);
  EXPECT_TRUE(HasPattern(mooring_slab_data(slab.get(), lease), 24, 0, kExtentBytes));
  const mooring_completion_t inside =
      RunOne(ring, Read(file.get(), 0, InLease(registration.get(), lease), 2 * kBufferBytes));
  EXPECT_EQ(inside.path, MOORING_PATH_FIXED);
}

CONFORMANCE_TEST(Extents, NeedAMultipleOfThePageSize, kAnywhere) {
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  mooring_registration_t* registration = nullptr;
  const mooring_registration_options_t options = InExtents(4096 + 512);
  EXPECT_REFUSED(mooring_registration_create(ring.get(), slab.get(), &options, &registration),
                 MOORING_CODE_INVALID_ARGUMENT, "extent_bytes_max");
  EXPECT_EQ(registration, nullptr);
}

CONFORMANCE_TEST(Extents, Rule5AFullTableIsReportedAsSuch, kPinned) {
  const Ring ring = CreateRing(WithSlots(1));
  const Slab slab = CreateSlab();
  const Slab other = CreateSlab();
  Registration first = Register(ring, slab);
  EXPECT_EQ(Info(first).outcome, MOORING_OUTCOME_FIXED);

  const Registration second = Register(ring, other);
  const mooring_registration_info_t info = Info(second);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(info.reason, MOORING_REASON_TABLE_FULL);
  EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "fixed_buffer_count")) << info.remedy;

  const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
  mooring_registration_t* required = nullptr;
  const Failure failure =
      Take(mooring_registration_create(ring.get(), other.get(), &options, &required));
  EXPECT_EQ(failure.code, MOORING_CODE_EXHAUSTED) << failure.ToString();
  EXPECT_EQ(failure.message, info.message);
  EXPECT_EQ(failure.remedy, info.remedy);
  EXPECT_EQ(required, nullptr);

  // Destroying the first registration frees the slot for the second one.
  first.reset();
  EXPECT_TRUE(Eventually([&] {
    EXPECT_OK(mooring_registration_promote(second.get()));
    return Info(second).outcome == MOORING_OUTCOME_FIXED;
  })) << Info(second).message;
}

CONFORMANCE_TEST(Extents, AFullTablePinsThePrefix, kPinned) {
  const Ring ring = CreateRing(WithSlots(3));
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, InExtents(kExtentBytes));
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_PARTIAL);
  EXPECT_EQ(info.reason, MOORING_REASON_TABLE_FULL);
  EXPECT_EQ(info.bytes_fixed, 3 * kExtentBytes);
  EXPECT_EQ(Extent(registration, 2).outcome, MOORING_OUTCOME_FIXED);
  EXPECT_EQ(Extent(registration, 3).outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(Extent(registration, 3).reason, MOORING_REASON_TABLE_FULL);

  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(25, 0, 4096));
  const auto read = [&](uint64_t offset) {
    return RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), offset), 4096)).path;
  };
  EXPECT_EQ(read(3 * kExtentBytes - 4096), MOORING_PATH_FIXED);
  EXPECT_EQ(read(3 * kExtentBytes), MOORING_PATH_COPY);
}

}  // namespace
}  // namespace mooring::conformance
