// Leases: contiguous buffers, lowest first, with a generation that a stale lease never matches.

#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class Leases : public ConformanceTest {
 protected:
  void SetUp() override {
    slab_ = CreateSlab();
    ASSERT_NE(slab_, nullptr);
  }

  mooring_error_t* TryAcquire(uint32_t count) {
    mooring_lease_t lease;
    return mooring_slab_acquire(slab_.get(), count, &lease);
  }

  Slab slab_;
};

CONFORMANCE_TEST(Leases, AreTheLowestFreeContiguousBuffers, kAnywhere) {
  const mooring_lease_t first = Acquire(slab_, 1);
  const mooring_lease_t second = Acquire(slab_, 3);
  const mooring_lease_t third = Acquire(slab_, 2);
  EXPECT_EQ(first.first_index, 0u);
  EXPECT_EQ(second.first_index, 1u);
  EXPECT_EQ(second.buffer_count, 3u);
  EXPECT_EQ(third.first_index, 4u);
  EXPECT_NE(first.generation, 0u);
  EXPECT_EQ(Info(slab_).leased_count, 6u);

  // A gap of three buffers gives a lease of two, and its rest a lease of one.
  ASSERT_OK(mooring_slab_release(slab_.get(), second));
  EXPECT_EQ(Acquire(slab_, 2).first_index, 1u);
  EXPECT_EQ(Acquire(slab_, 1).first_index, 3u);
  EXPECT_EQ(Acquire(slab_, 1).first_index, 6u);
}

CONFORMANCE_TEST(Leases, DataIsAtTheIndex, kAnywhere) {
  std::byte* base = Data(slab_);
  Acquire(slab_, 5);
  const mooring_lease_t lease = Acquire(slab_, 2);
  EXPECT_EQ(mooring_slab_data(slab_.get(), lease), base + lease.first_index * kBufferBytes);
}

CONFORMANCE_TEST(Leases, GenerationZeroNamesABufferWithoutALease, kAnywhere) {
  std::byte* base = Data(slab_);
  EXPECT_EQ(mooring_slab_data(slab_.get(), {.first_index = 7}), base + 7 * kBufferBytes);
  EXPECT_EQ(mooring_slab_data(slab_.get(), {.first_index = kBufferCount}), nullptr);
}

CONFORMANCE_TEST(Leases, Rule2AStaleLeaseIsAnError, kAnywhere) {
  const mooring_lease_t stale = Acquire(slab_, 2);
  ASSERT_OK(mooring_slab_release(slab_.get(), stale));
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), stale), MOORING_CODE_INVALID_STATE, "lease");
  EXPECT_EQ(mooring_slab_data(slab_.get(), stale), nullptr);

  const mooring_lease_t fresh = Acquire(slab_, 2);
  EXPECT_EQ(fresh.first_index, stale.first_index);
  EXPECT_NE(fresh.generation, stale.generation);
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), stale), MOORING_CODE_INVALID_STATE, "lease");
  EXPECT_EQ(mooring_slab_data(slab_.get(), stale), nullptr);
  EXPECT_OK(mooring_slab_release(slab_.get(), fresh));
}

CONFORMANCE_TEST(Leases, AForgedLeaseIsAnError, kAnywhere) {
  const mooring_lease_t lease = Acquire(slab_, 3);
  mooring_lease_t forged = lease;
  forged.first_index = lease.first_index + 1;  // inside the lease, not its start
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), forged), MOORING_CODE_INVALID_STATE);
  forged = lease;
  forged.first_index = kBufferCount + 1;
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), forged), MOORING_CODE_INVALID_STATE);
  forged = lease;
  forged.generation = lease.generation + 1;
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), forged), MOORING_CODE_INVALID_STATE);
  EXPECT_REFUSED(mooring_slab_release(slab_.get(), mooring_lease_t{}), MOORING_CODE_INVALID_STATE);
  EXPECT_EQ(Info(slab_).leased_count, 3u) << "a refused release must change nothing";
  EXPECT_OK(mooring_slab_release(slab_.get(), lease));
}

CONFORMANCE_TEST(Leases, AreExhaustedAndAvailableAgain, kAnywhere) {
  std::vector<mooring_lease_t> leases;
  for (uint64_t i = 0; i < kBufferCount; ++i) leases.push_back(Acquire(slab_));
  mooring_lease_t lease;
  const Failure failure = Take(mooring_slab_acquire(slab_.get(), 1, &lease));
  EXPECT_EQ(failure.code, MOORING_CODE_EXHAUSTED);
  EXPECT_EQ(failure.retry, MOORING_RETRY_LATER);
  EXPECT_NE(failure.remedy, "");
  EXPECT_EQ(Info(slab_).leased_count, kBufferCount);

  ASSERT_OK(mooring_slab_release(slab_.get(), leases[9]));
  EXPECT_EQ(Acquire(slab_).first_index, 9u);
}

CONFORMANCE_TEST(Leases, ALeaseNeedsContiguousBuffers, kAnywhere) {
  std::vector<mooring_lease_t> leases;
  for (uint64_t i = 0; i < kBufferCount; ++i) leases.push_back(Acquire(slab_));
  for (uint64_t i = 0; i < kBufferCount; i += 2)
    ASSERT_OK(mooring_slab_release(slab_.get(), leases[i]));
  EXPECT_REFUSED(TryAcquire(2), MOORING_CODE_EXHAUSTED);
  ASSERT_OK(mooring_slab_release(slab_.get(), leases[13]));
  const mooring_lease_t lease = Acquire(slab_, 3);
  EXPECT_EQ(lease.first_index, 12u);
}

CONFORMANCE_TEST(Leases, TheWholeSlabIsOneLease, kAnywhere) {
  const mooring_lease_t all = Acquire(slab_, kBufferCount);
  EXPECT_EQ(all.first_index, 0u);
  EXPECT_REFUSED(TryAcquire(1), MOORING_CODE_EXHAUSTED);
  ASSERT_OK(mooring_slab_release(slab_.get(), all));
  EXPECT_OK(mooring_slab_release(slab_.get(), Acquire(slab_, kBufferCount)));
}

CONFORMANCE_TEST(Leases, NoneAndMoreThanAllAreRefused, kAnywhere) {
  EXPECT_REFUSED(TryAcquire(0), MOORING_CODE_INVALID_ARGUMENT);
  EXPECT_REFUSED(TryAcquire(kBufferCount + 1), MOORING_CODE_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace mooring::conformance
