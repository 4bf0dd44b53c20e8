// Limits: the largest size or number works, one more is refused, and nothing is truncated silently
// (rule 4).

#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/privileges.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint32_t kSlotsMax = 16'384;

class Limits : public ConformanceTest {
 protected:
  static mooring_ring_options_t WithSlots(uint32_t count) {
    mooring_ring_options_t options = RingOptions();
    options.fixed_buffer_count = count;
    return options;
  }

  const TempDir dir_;
};

CONFORMANCE_TEST(Limits, EverySlotOfTheLargestTableIsUsable, kPinned) {
  // 64 MiB in extents of one page. An unprivileged user's limit of 8 MiB has room for fewer
  // extents, and for a table of that size.
  const bool is_whole = (CurrentExpectation().capabilities & kWholeTable) != 0;
  const uint32_t slots = IsMemlockExempt() && !is_whole ? kSlotsMax : 1024;
  const MappedMemory memory(slots * kPage);
  const Ring ring = CreateRing(WithSlots(slots));
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(Info(ring).fixed_buffer_count, slots);
  const Slab slab = Adopt(memory.data(), memory.size(), kPage);
  mooring_registration_options_t options = RegistrationOptions();
  options.extent_bytes_max = kPage;
  Registration registration = Register(ring, slab, options);
  ASSERT_NE(registration, nullptr);
  EXPECT_EQ(Info(registration).extent_count, slots);
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;

  const Fd file = dir_.Create("data", Pattern(101, 0, kPage));
  for (uint64_t slot : {uint64_t{0}, uint64_t{slots / 2}, uint64_t{slots} - 1}) {
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), slot * kPage), kPage));
    EXPECT_EQ(read.result, static_cast<int64_t>(kPage));
    EXPECT_EQ(read.path, MOORING_PATH_FIXED);
    EXPECT_TRUE(HasPattern(memory.data() + slot * kPage, 101, 0, kPage));
  }
  const MappedMemory more(kPage);
  const Slab extra = Adopt(more.data(), kPage);
  EXPECT_EQ(Info(Register(ring, extra)).reason, MOORING_REASON_TABLE_FULL);
  registration.reset();
  EXPECT_OK(mooring_slab_close(slab.get(), kPatienceNs));
}

CONFORMANCE_TEST(Limits, ManyRegistrationsShareATable, kAnywhere) {
  constexpr uint64_t kCount = 256;
  const Fd file = dir_.Create("data", Pattern(102, 0, kPage));
  const MappedMemory memory(kCount * kPage);
  const Ring ring = CreateRing(WithSlots(kCount));
  std::vector<Slab> slabs;
  std::vector<Registration> registrations;
  for (uint64_t i = 0; i < kCount; ++i) {
    slabs.push_back(Adopt(memory.data() + i * kPage, kPage));
    registrations.push_back(Register(ring, slabs.back()));
  }
  for (uint64_t i = 0; i < kCount; ++i) {
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registrations[i].get(), 0), kPage));
    ASSERT_EQ(read.result, static_cast<int64_t>(kPage));
    ASSERT_EQ(read.path, PathOf(registrations[i], 0, kPage)) << "registration " << i;
    ASSERT_TRUE(HasPattern(memory.data() + i * kPage, 102, 0, kPage)) << "registration " << i;
  }
  // In a different order than they were created.
  for (uint64_t i = 0; i < kCount; i += 2) registrations[i].reset();
  registrations.clear();
  for (const Slab& slab : slabs) ASSERT_OK(mooring_slab_close(slab.get(), kPatienceNs));
}

CONFORMANCE_TEST(Limits, OneOperationCoversALeaseOfTheWholeSlab, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(103, 0, kSlabBytes));
  const Fd copy = dir_.Create("copy");
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  const mooring_lease_t all = Acquire(slab, kBufferCount);
  const auto completions =
      Run(ring, {WithFlags(Read(file.get(), 0, InLease(registration.get(), all), kSlabBytes),
                           MOORING_OPERATION_LINK),
                 Write(copy.get(), 0, InLease(registration.get(), all), kSlabBytes)});
  for (const mooring_completion_t& completion : completions) {
    EXPECT_EQ(completion.result, static_cast<int64_t>(kSlabBytes));
    EXPECT_EQ(completion.path, PathOf(registration, 0, kSlabBytes));
  }
  EXPECT_TRUE(HasPattern(Contents(copy.get()).data(), 103, 0, kSlabBytes));
}

CONFORMANCE_TEST(Limits, AsManyInFlightAsRequested, kAnywhere) {
  constexpr uint32_t kInFlight = 4096;
  mooring_ring_options_t options = RingOptions();
  options.submission_count = 64;
  options.in_flight_max = kInFlight;
  const Ring ring = CreateRing(options);
  ASSERT_NE(ring, nullptr);
  std::vector<mooring_op_t> timeouts;
  for (uint32_t i = 0; i <= kInFlight; ++i) {
    timeouts.push_back(WithUserData(Timeout(uint64_t{3600} * 1'000'000'000), i));
  }
  uint32_t accepted = 0;
  ASSERT_OK(mooring_ring_submit(ring.get(), timeouts.data(), kInFlight + 1, &accepted));
  EXPECT_EQ(accepted, kInFlight);
  EXPECT_EQ(Stats(ring).in_flight, kInFlight);
  ASSERT_OK(mooring_ring_close(ring.get(), kPatienceNs));
  for (const mooring_completion_t& completion : Reap(ring, kInFlight))
    ASSERT_EQ(completion.result, -ECANCELED);
}

CONFORMANCE_TEST(Limits, Rule4MoreThanTheKernelsMaximumIsRefused, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(104, 0, kPage));
  const Ring ring = CreateRing();
  std::vector<std::byte> memory(kPage);
  // Truncated to 32 bits, the last two would be one page.
  for (uint64_t size : {MOORING_OPERATION_BYTES_MAX + 1, uint64_t{1} << 31,
                        (uint64_t{1} << 32) + kPage, (uint64_t{1} << 63) + kPage}) {
    SCOPED_TRACE("size " + std::to_string(size));
    for (const mooring_op_t& operation : {Read(file.get(), 0, AtAddress(memory.data()), size),
                                          Write(file.get(), 0, AtAddress(memory.data()), size)}) {
      uint32_t accepted = 7;
      EXPECT_REFUSED(mooring_ring_submit(ring.get(), &operation, 1, &accepted),
                     MOORING_CODE_INVALID_ARGUMENT, "0x7ffff000");
      EXPECT_EQ(accepted, 0u);
    }
  }
  EXPECT_TRUE(IsAll(memory.data(), std::byte{0}, kPage));
}

CONFORMANCE_TEST(Limits, Rule4TheKernelsMaximumIsAccepted, kAnywhere) {
  // Reserved but never accessed: the file ends long before.
  const uint64_t size = MOORING_OPERATION_BYTES_MAX;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SKIP_WITHOUT(memory != MAP_FAILED, "address_space", "needs 2 GiB of address space");
  const Fd file = dir_.Create("data", Pattern(105, 0, 3 * kPage));
  const Ring ring = CreateRing();
  const mooring_completion_t read = RunOne(ring, Read(file.get(), 0, AtAddress(memory), size));
  EXPECT_EQ(read.result, static_cast<int64_t>(3 * kPage));
  EXPECT_NE(read.flags & MOORING_COMPLETION_SHORT, 0u);
  EXPECT_TRUE(HasPattern(memory, 105, 0, 3 * kPage));
  munmap(memory, size);
}

CONFORMANCE_TEST(Limits, FarOffsetsReachTheFile, kAnywhere) {
  constexpr uint64_t kFar = (uint64_t{5} << 32) + 512;  // beyond 32 bits; a sparse file
  const Fd file = dir_.Create("data");
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  FillPattern(Data(slab), 106, 0, kPage);
  const auto completions =
      Run(ring, {WithFlags(Write(file.get(), kFar, InSlab(registration.get(), 0), kPage),
                           MOORING_OPERATION_LINK),
                 Read(file.get(), kFar, InSlab(registration.get(), kBufferBytes), kPage)});
  if (completions[0].result == -EFBIG)
    SKIP_WITHOUT(false, "large_files", "the file system has no files of more than 4 GiB");
  EXPECT_EQ(completions[1].result, static_cast<int64_t>(kPage));
  EXPECT_TRUE(HasPattern(Data(slab) + kBufferBytes, 106, 0, kPage));
  EXPECT_EQ(FileSize(file.get()), kFar + kPage);
}

}  // namespace
}  // namespace mooring::conformance
