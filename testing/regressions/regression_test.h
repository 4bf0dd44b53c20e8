// regression_test.h: a fixture for short tests that run on both engines.
//
//   class ShortReadAsFull : public RegressionTest {};
//   TEST_P(ShortReadAsFull, BytesAndFlagsReportTheTransfer) { ... }
//   ON_BOTH_ENGINES(ShortReadAsFull);
//
// Threading: one thread per test.
#ifndef MOORING_TESTING_REGRESSIONS_REGRESSION_TEST_H_
#define MOORING_TESTING_REGRESSIONS_REGRESSION_TEST_H_

#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <cstdint>
#include <vector>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/pattern.h"
#include "testing/support/require.h"

namespace mooring::conformance {

class RegressionTest : public ::testing::TestWithParam<mooring_engine_t> {
 protected:
  static mooring_ring_options_t RingOptions() {
    mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
    options.engine = GetParam();
    return options;
  }
  static Ring CreateRing(const mooring_ring_options_t& options = RingOptions()) {
    mooring_ring_t* ring = nullptr;
    EXPECT_OK(mooring_ring_create(&options, &ring));
    return Ring(ring);
  }
  static Slab CreateSlab(uint64_t buffer_count = 16) {
    mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
    options.buffer_bytes = 64 * 1024;
    options.buffer_count = buffer_count;
    mooring_slab_t* slab = nullptr;
    EXPECT_OK(mooring_slab_create(&options, &slab));
    return Slab(slab);
  }
  static Registration Register(const Ring& ring, const Slab& slab,
                               mooring_policy_t policy = MOORING_POLICY_PREFER) {
    mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
    options.policy = policy;
    mooring_registration_t* registration = nullptr;
    EXPECT_OK(mooring_registration_create(ring.get(), slab.get(), &options, &registration));
    return Registration(registration);
  }
  static mooring_lease_t Acquire(const Slab& slab) {
    mooring_lease_t lease = {};
    EXPECT_OK(mooring_slab_acquire(slab.get(), 1, &lease));
    return lease;
  }
  static std::byte* Data(const Slab& slab) {
    return static_cast<std::byte*>(mooring_slab_data(slab.get(), {}));
  }
  static mooring_ring_stats_t Stats(const Ring& ring) {
    mooring_ring_stats_t stats{.struct_size = sizeof(stats)};
    EXPECT_OK(mooring_ring_get_stats(ring.get(), &stats));
    return stats;
  }
  static uint64_t Features() {
    mooring_facts_t facts{.struct_size = sizeof(facts)};
    EXPECT_OK(mooring_facts_get(&facts));
    return GetParam() == MOORING_ENGINE_THREADS ? 0 : facts.features;
  }

  static void Submit(const Ring& ring, const std::vector<mooring_op_t>& operations) {
    uint32_t accepted = 0;
    ASSERT_OK(mooring_ring_submit(ring.get(), operations.data(),
                                  static_cast<uint32_t>(operations.size()), &accepted));
    ASSERT_EQ(accepted, operations.size());
  }
  // Waits for `count` completions, and fails when there are more.
  static std::vector<mooring_completion_t> Reap(const Ring& ring, uint32_t count) {
    std::vector<mooring_completion_t> completions(count + 1);
    uint32_t reaped = 0;
    EXPECT_OK(
        mooring_ring_reap(ring.get(), completions.data(), count + 1, count, kPatienceNs, &reaped));
    EXPECT_EQ(reaped, count);
    completions.resize(reaped);
    return completions;
  }
  static mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation) {
    Submit(ring, {operation});
    const auto completions = Reap(ring, 1);
    return completions.empty() ? mooring_completion_t{} : completions.front();
  }
};

}  // namespace mooring::conformance

#define ON_BOTH_ENGINES(fixture)             \
  INSTANTIATE_TEST_SUITE_P(Engines, fixture, \
                           ::testing::Values(MOORING_ENGINE_AUTO, MOORING_ENGINE_THREADS))

#endif  // MOORING_TESTING_REGRESSIONS_REGRESSION_TEST_H_
