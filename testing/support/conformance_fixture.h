// conformance_fixture.h: the fixture of every suite, and the registry of their tests.
//
//   class Leases : public DataTest {};
//   CONFORMANCE_TEST(Leases, RefusesAStaleLease, kAnywhere) { ... }
//
// A test names the capabilities that it needs. If the configuration has them, main registers the
// test with GoogleTest, under "<configuration>/<suite>". A test that a configuration cannot run is
// absent there and not skipped: a skip always means that the machine lacks something.
//
// Each test has a deadline (main sets it), runs on one thread, and creates rings and slabs with the
// configuration's options.
#ifndef MOORING_TESTING_SUPPORT_CONFORMANCE_FIXTURE_H_
#define MOORING_TESTING_SUPPORT_CONFORMANCE_FIXTURE_H_

#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "testing/support/configuration.h"
#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/pattern.h"
#include "testing/support/require.h"

namespace mooring::conformance {

class ConformanceTest : public ::testing::Test {
 protected:
  // The configuration's options, for a test to change further.
  static mooring_ring_options_t RingOptions();
  static mooring_slab_options_t SlabOptions(uint64_t buffer_count = kBufferCount,
                                            uint64_t buffer_bytes = kBufferBytes);
  static mooring_registration_options_t RegistrationOptions(
      mooring_policy_t policy = MOORING_POLICY_PREFER);

  // Null after a failure, which is recorded. ASSERT_NE(ring, nullptr) where that matters.
  static Ring CreateRing(const mooring_ring_options_t& options = RingOptions());
  static Slab CreateSlab(const mooring_slab_options_t& options = SlabOptions());
  static Slab Adopt(void* data, uint64_t size, uint64_t buffer_bytes = 0);
  static Registration Register(
      const Ring& ring, const Slab& slab,
      const mooring_registration_options_t& options = RegistrationOptions());
  static mooring_lease_t Acquire(const Slab& slab, uint32_t buffer_count = 1);

  static mooring_ring_info_t Info(const Ring& ring);
  static mooring_ring_stats_t Stats(const Ring& ring);
  static mooring_slab_info_t Info(const Slab& slab);
  static mooring_registration_info_t Info(const Registration& registration);
  static mooring_extent_info_t Extent(const Registration& registration, uint32_t index);
  static std::byte* Data(const Slab& slab);

  // Submits all of `operations`. The ring must accept them in one call.
  static void Submit(const Ring& ring, const std::vector<mooring_op_t>& operations);
  // Waits for `count` completions and returns them in the order of their arrival.
  static std::vector<mooring_completion_t> Reap(const Ring& ring, uint32_t count);
  // Returns the completions that arrive within kQuietNs, at most `count`. An empty result shows
  // that an operation does not complete. To wait for a completion, use Reap, or Eventually around
  // this.
  static std::vector<mooring_completion_t> ReapBriefly(const Ring& ring, uint32_t count);
  // Submits all and waits for all, in as many calls as that takes. Returns the completions in the
  // order of `operations`, each once (rule 3). Sets a different user_data in every operation.
  static std::vector<mooring_completion_t> Run(const Ring& ring,
                                               std::vector<mooring_op_t> operations);
  static mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation);

  // Checks that the memory of destroyed slabs and rings is unmapped. Operations that were in flight
  // may complete after the destroying call. Then a later call into the library unmaps the memory.
  static void ExpectUnmapped(const void* data);

  // The path that bytes [offset, offset + size) of the slab must take, from the extents that the
  // registration reports.
  static mooring_path_t PathOf(const Registration& registration, uint64_t offset, uint64_t size);
};

// A ring, a slab and a registration of the slab on the ring, checked against the configuration's
// expectation.
class DataTest : public ConformanceTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  Place At(uint64_t offset) const { return InSlab(registration_.get(), offset); }
  std::byte* data(uint64_t offset = 0) const { return data_ + offset; }
  mooring_path_t PathOf(uint64_t offset, uint64_t size) const {
    return ConformanceTest::PathOf(registration_, offset, size);
  }

  Ring ring_;
  Slab slab_;
  Registration registration_;
  std::byte* data_ = nullptr;
};

using TestFactory = ConformanceTest* (*)();
bool RegisterConformanceTest(const char* suite, const char* name, uint32_t needs, const char* file,
                             int line, TestFactory factory);
// Registers with GoogleTest all tests that run with `capabilities`. Returns their number.
int RegisterWithGoogleTest(const char* configuration, uint32_t capabilities);

}  // namespace mooring::conformance

#define CONFORMANCE_TEST(fixture, name, needs)                                                \
  class fixture##_##name final : public fixture {                                             \
   private:                                                                                   \
    void TestBody() override;                                                                 \
  };                                                                                          \
  [[maybe_unused]] static const bool fixture##_##name##_registered =                          \
      ::mooring::conformance::RegisterConformanceTest(                                        \
          #fixture, #name, needs, __FILE__, __LINE__,                                         \
          []() -> ::mooring::conformance::ConformanceTest* { return new fixture##_##name; }); \
  void fixture##_##name::TestBody()

#endif  // MOORING_TESTING_SUPPORT_CONFORMANCE_FIXTURE_H_
