#include "testing/support/conformance_fixture.h"

#include "testing/support/proc_self.h"

namespace mooring::conformance {

mooring_ring_options_t ConformanceTest::RingOptions() {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  if (CurrentConfiguration().ring_options != nullptr) CurrentConfiguration().ring_options(&options);
  return options;
}

mooring_slab_options_t ConformanceTest::SlabOptions(uint64_t buffer_count, uint64_t buffer_bytes) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = buffer_bytes;
  options.buffer_count = buffer_count;
  if (CurrentConfiguration().slab_options != nullptr) CurrentConfiguration().slab_options(&options);
  return options;
}

mooring_registration_options_t ConformanceTest::RegistrationOptions(mooring_policy_t policy) {
  mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
  options.policy = policy;
  return options;
}

Ring ConformanceTest::CreateRing(const mooring_ring_options_t& options) {
  mooring_ring_t* ring = nullptr;
  EXPECT_OK(mooring_ring_create(&options, &ring));
  return Ring(ring);
}

Slab ConformanceTest::CreateSlab(const mooring_slab_options_t& options) {
  mooring_slab_t* slab = nullptr;
  EXPECT_OK(mooring_slab_create(&options, &slab));
  return Slab(slab);
}

Slab ConformanceTest::Adopt(void* data, uint64_t size, uint64_t buffer_bytes) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = buffer_bytes;
  mooring_slab_t* slab = nullptr;
  EXPECT_OK(mooring_slab_adopt(data, size, &options, &slab));
  return Slab(slab);
}

Registration ConformanceTest::Register(const Ring& ring, const Slab& slab,
                                       const mooring_registration_options_t& options) {
  mooring_registration_t* registration = nullptr;
  EXPECT_OK(mooring_registration_create(ring.get(), slab.get(), &options, &registration));
  return Registration(registration);
}

mooring_lease_t ConformanceTest::Acquire(const Slab& slab, uint32_t buffer_count) {
  mooring_lease_t lease{};
  EXPECT_OK(mooring_slab_acquire(slab.get(), buffer_count, &lease));
  return lease;
}

mooring_ring_info_t ConformanceTest::Info(const Ring& ring) {
  mooring_ring_info_t info{};
  info.struct_size = sizeof info;
  EXPECT_OK(mooring_ring_get_info(ring.get(), &info));
  return info;
}

mooring_ring_stats_t ConformanceTest::Stats(const Ring& ring) {
  mooring_ring_stats_t stats{};
  stats.struct_size = sizeof stats;
  EXPECT_OK(mooring_ring_get_stats(ring.get(), &stats));
  return stats;
}

mooring_slab_info_t ConformanceTest::Info(const Slab& slab) {
  mooring_slab_info_t info{};
  info.struct_size = sizeof info;
  EXPECT_OK(mooring_slab_get_info(slab.get(), &info));
  return info;
}

mooring_registration_info_t ConformanceTest::Info(const Registration& registration) {
  mooring_registration_info_t info{};
  info.struct_size = sizeof info;
  EXPECT_OK(mooring_registration_get_info(registration.get(), &info));
  return info;
}

mooring_extent_info_t ConformanceTest::Extent(const Registration& registration, uint32_t index) {
  mooring_extent_info_t info{};
  info.struct_size = sizeof info;
  EXPECT_OK(mooring_registration_get_extent(registration.get(), index, &info));
  return info;
}

std::byte* ConformanceTest::Data(const Slab& slab) {
  return static_cast<std::byte*>(mooring_slab_data(slab.get(), mooring_lease_t{}));
}

void ConformanceTest::Submit(const Ring& ring, const std::vector<mooring_op_t>& operations) {
  uint32_t accepted = 0;
  const auto count = static_cast<uint32_t>(operations.size());
  ASSERT_OK(mooring_ring_submit(ring.get(), operations.data(), count, &accepted));
  ASSERT_EQ(accepted, count);
}

std::vector<mooring_completion_t> ConformanceTest::Reap(const Ring& ring, uint32_t count) {
  std::vector<mooring_completion_t> completions(count);
  uint32_t got = 0;
  EXPECT_OK(mooring_ring_reap(ring.get(), completions.data(), count, count, kPatienceNs, &got));
  EXPECT_EQ(got, count) << "completions are missing";
  completions.resize(got);
  return completions;
}

std::vector<mooring_completion_t> ConformanceTest::ReapBriefly(const Ring& ring, uint32_t count) {
  std::vector<mooring_completion_t> completions(count);
  uint32_t got = 0;
  EXPECT_OK(mooring_ring_reap(ring.get(), completions.data(), count, count, kQuietNs, &got));
  completions.resize(got);
  return completions;
}

std::vector<mooring_completion_t> ConformanceTest::Run(const Ring& ring,
                                                       std::vector<mooring_op_t> operations) {
  constexpr uint64_t kFirstUserData = uint64_t{0x5eed} << 48;  // every bit must be returned
  constexpr uint32_t kCapacity = 64;
  const auto total = static_cast<uint32_t>(operations.size());
  for (uint32_t i = 0; i < total; ++i) operations[i].user_data = kFirstUserData + i;

  std::vector<mooring_completion_t> ordered(total);
  std::vector<int> seen(total, 0);
  mooring_completion_t batch[kCapacity];
  uint32_t submitted = 0;
  uint32_t completed = 0;
  while (completed < total) {
    uint32_t accepted = 0;
    uint32_t got = 0;
    const ::testing::AssertionResult good = IsOk(
        mooring_ring_submit_and_reap(ring.get(), operations.data() + submitted, total - submitted,
                                     &accepted, batch, kCapacity, 1, kPatienceNs, &got));
    EXPECT_TRUE(good);
    EXPECT_GT(got, 0u) << total - completed << " of " << total << " completions are missing";
    if (!good || got == 0) break;
    submitted += accepted;
    for (uint32_t i = 0; i < got; ++i) {
      const uint64_t index = batch[i].user_data - kFirstUserData;
      EXPECT_LT(index, submitted) << "a completion of an operation that was not submitted";
      if (index >= total) continue;
      EXPECT_EQ(++seen[index], 1) << "operation " << index << " completed more than once";
      ordered[index] = batch[i];
    }
    completed += got;
  }
  return ordered;
}

mooring_completion_t ConformanceTest::RunOne(const Ring& ring, const mooring_op_t& operation) {
  return Run(ring, {operation}).front();
}

void ConformanceTest::ExpectUnmapped(const void* data) {
  EXPECT_TRUE(Eventually([&] {
    if (!IsMapped(data)) return true;
    CreateRing().reset();
    return false;
  })) << "the memory is still mapped";
}

mooring_path_t ConformanceTest::PathOf(const Registration& registration, uint64_t offset,
                                       uint64_t size) {
  const uint32_t extent_count = Info(registration).extent_count;
  for (uint32_t i = 0; i < extent_count; ++i) {
    const mooring_extent_info_t extent = Extent(registration, i);
    if (offset >= extent.offset && offset + size <= extent.offset + extent.bytes_fixed)
      return MOORING_PATH_FIXED;
  }
  return MOORING_PATH_COPY;
}

void DataTest::SetUp() {
  ring_ = CreateRing();
  slab_ = CreateSlab();
  ASSERT_NE(ring_, nullptr);
  ASSERT_NE(slab_, nullptr);
  registration_ = Register(ring_, slab_);
  ASSERT_NE(registration_, nullptr);
  data_ = Data(slab_);
  ASSERT_NE(data_, nullptr);

  // Checks the report against the configuration, because PathOf takes the expected path from the
  // report.
  const Expectation& expected = CurrentExpectation();
  ASSERT_EQ(Info(ring_).engine, expected.engine) << Info(ring_).message;
  const mooring_registration_info_t info = Info(registration_);
  ASSERT_EQ(info.outcome, expected.outcome) << info.message;
  ASSERT_EQ(info.reason, expected.reason) << info.message;
}

void DataTest::TearDown() {
  if (ring_ == nullptr) return;
  const mooring_ring_stats_t stats = Stats(ring_);
  EXPECT_LE(stats.completed, stats.submitted);
  EXPECT_EQ(stats.completed + stats.in_flight, stats.submitted)
      << "an operation was lost or completed twice (rule 3)";
  if (CurrentExpectation().outcome == MOORING_OUTCOME_COPY) {
    EXPECT_EQ(stats.read_fixed + stats.write_fixed, 0u)
        << "an operation took the fixed path, but nothing is fixed";
  }
}

}  // namespace mooring::conformance
