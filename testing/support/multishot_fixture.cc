#include "testing/support/multishot_fixture.h"

#include <cerrno>

namespace mooring::conformance {

Registration MultishotTest::RegisterProviding(uint32_t provided_buffer_count) {
  mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_NEVER);
  options.provided_buffer_count = provided_buffer_count;
  Registration registration = Register(ring_, slab_, options);
  const mooring_registration_info_t info = Info(registration);
  const bool can = (Info(ring_).features & MOORING_FEATURE_RECV_MULTISHOT) != 0;
  if (provided_buffer_count == 0) {
    EXPECT_EQ(info.provided_buffer_count, 0u);
    EXPECT_EQ(info.provided_system_error, 0);
  } else if (can && info.provided_system_error == ENOMEM &&
             (CurrentExpectation().capabilities & (kPartial | kNoMemlock)) != 0) {
    EXPECT_EQ(info.provided_buffer_count, 0u) << "the slab has used the whole budget";
  } else if (can) {
    EXPECT_EQ(info.provided_buffer_count, provided_buffer_count) << info.provided_system_error;
  } else {
    const bool is_threads = Info(ring_).engine == MOORING_ENGINE_THREADS;
    EXPECT_EQ(info.provided_buffer_count, 0u);
    EXPECT_EQ(info.provided_system_error, is_threads ? EOPNOTSUPP : EINVAL);
  }
  return registration;
}

bool MultishotTest::KernelHasMultishot(const Registration& registration) {
  return (Info(ring_).features & MOORING_FEATURE_RECV_MULTISHOT) != 0 &&
         Info(registration).provided_buffer_count > 0;
}

mooring_lease_t MultishotTest::LeaseOf(const mooring_completion_t& completion) {
  return {.first_index = completion.lease_first_index,
          .buffer_count = 1,
          .generation = completion.lease_generation,
          .reserved = 0};
}

std::byte* MultishotTest::BytesOf(const mooring_completion_t& completion) {
  return static_cast<std::byte*>(mooring_slab_data(slab_.get(), LeaseOf(completion)));
}

void MultishotTest::ReleaseLease(const mooring_completion_t& completion) {
  EXPECT_OK(mooring_slab_release(slab_.get(), LeaseOf(completion)));
}

void MultishotTest::ExpectBytes(const mooring_completion_t& completion, uint32_t seed,
                                uint64_t size) {
  EXPECT_EQ(completion.result, static_cast<int64_t>(size));
  EXPECT_EQ(completion.flags, uint32_t{MOORING_COMPLETION_MORE});
  EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_COPY});
  ASSERT_NE(completion.lease_generation, 0u);
  ASSERT_NE(BytesOf(completion), nullptr);
  EXPECT_TRUE(HasPattern(BytesOf(completion), seed, 0, size));
}

void MultishotTest::ExpectLast(int64_t result, uint32_t flags) {
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.result, result);
  EXPECT_EQ(completion.flags, flags);
  EXPECT_EQ(completion.lease_generation, 0u);
  EXPECT_EQ(Stats(ring_).in_flight, 0u);
}

void MultishotTest::CancelAndExpectLast() {
  uint32_t count = 0;
  EXPECT_OK(mooring_ring_cancel(ring_.get(), 0, &count));
  EXPECT_EQ(count, 1u);
  ExpectLast(-ECANCELED, 0);
}

std::vector<mooring_completion_t> MultishotTest::ReapSome() {
  std::vector<mooring_completion_t> completions(16);
  uint32_t count = 0;
  EXPECT_OK(mooring_ring_reap(ring_.get(), completions.data(), 16, 1, kQuietNs, &count));
  completions.resize(count);
  return completions;
}

}  // namespace mooring::conformance
