// conformance_fixture.h: the fixture that every suite builds on, and the registry of their tests.
//
//   class Leases : public DataTest {};
//   CONFORMANCE_TEST(Leases, RefusesAStaleLease, kAnywhere) { ... }
//
// A test names the capabilities that it needs; main registers with GoogleTest those that the
// configuration has, under "<configuration>/<suite>". What a configuration cannot show is absent
// there, not skipped: a skip always means that the machine lacks something.
//
// Each test has a deadline (main sets it), runs on one thread, and makes rings and slabs as the
// configuration wants.
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
  // Options as the configuration wants them, for a test to change further.
  static mooring_ring_options_t RingOptions();
  static mooring_slab_options_t SlabOptions(uint64_t buffer_count = kBufferCount,
                                            uint64_t buffer_bytes = kBufferBytes);
  static mooring_registration_options_t RegistrationOptions(
      mooring_policy_t policy = MOORING_POLICY_PREFER);

  // Null after a failure that the test has been told of: ASSERT_NE(ring, nullptr) where it matters.
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

  // Submits all of `operations`, which must be accepted at once.
  static void Submit(const Ring& ring, const std::vector<mooring_op_t>& operations);
  // Waits for `count` completions, in the order in which they come.
  static std::vector<mooring_completion_t> Reap(const Ring& ring, uint32_t count);
  // What is there after a glance, `count` or fewer.
  static std::vector<mooring_completion_t> ReapAtGlance(const Ring& ring, uint32_t count);
  // Submits and waits for all, however many times that takes; completions come back in the order of
  // `operations`, each once (rule 3). Gives every operation a user_data of its own.
  static std::vector<mooring_completion_t> Run(const Ring& ring,
                                               std::vector<mooring_op_t> operations);
  static mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation);

  // The memory of slabs and rings that were destroyed is unmapped. Operations that were in flight
  // may end after the destroying call has returned; then a later call brings that in.
  static void ExpectGivenBack(const void* data);

  // The path that bytes [offset, offset + size) of the slab must take, from the extents that the
  // registration reports.
  static mooring_path_t PathOf(const Registration& registration, uint64_t offset, uint64_t size);
};

// A ring, a slab and a registration between them, checked against what the configuration expects.
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
// Registers with GoogleTest what runs under `capabilities`; returns how many tests that is.
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
