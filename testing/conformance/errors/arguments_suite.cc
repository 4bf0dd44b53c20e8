// Arguments: structs that are too short, too long or unknown, and calls with invalid arguments.

#include <cstring>
#include <string>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class Arguments : public DataTest {
 protected:
  // Options of a later version of the library: the current struct, and 16 bytes more.
  template <typename Options>
  struct Longer {
    Options options;
    uint8_t tail[16];
  };

  template <typename Options>
  static Longer<Options> Grow(Options options) {
    Longer<Options> longer{.options = options, .tail = {}};
    longer.options.struct_size = sizeof longer;
    return longer;
  }

  template <typename Options>
  mooring_error_t* Create(const Options* options);

  // The size rules are the same for each options struct.
  template <typename Options>
  void ExpectSizeRules(const Options& good) {
    Options options = good;
    options.struct_size = 0;
    EXPECT_REFUSED(Create(&options), MOORING_CODE_INVALID_ARGUMENT, "struct_size");
    options.struct_size = 5;
    EXPECT_REFUSED(Create(&options), MOORING_CODE_INVALID_ARGUMENT, "struct_size");

    Longer<Options> longer = Grow(good);
    EXPECT_OK(Create(&longer.options)) << "an unknown tail of zeros means the default";
    longer.tail[9] = 1;
    EXPECT_REFUSED(Create(&longer.options), MOORING_CODE_UNSUPPORTED,
                   std::to_string(sizeof(Options) + 9));
  }
};

template <>
mooring_error_t* Arguments::Create(const mooring_ring_options_t* options) {
  mooring_ring_t* ring = nullptr;
  mooring_error_t* error = mooring_ring_create(options, &ring);
  EXPECT_EQ(error == nullptr, ring != nullptr);
  mooring_ring_destroy(ring);
  return error;
}

template <>
mooring_error_t* Arguments::Create(const mooring_slab_options_t* options) {
  mooring_slab_t* slab = nullptr;
  mooring_error_t* error = mooring_slab_create(options, &slab);
  EXPECT_EQ(error == nullptr, slab != nullptr);
  mooring_slab_destroy(slab);
  return error;
}

template <>
mooring_error_t* Arguments::Create(const mooring_registration_options_t* options) {
  mooring_registration_t* registration = nullptr;
  mooring_error_t* error =
      mooring_registration_create(ring_.get(), slab_.get(), options, &registration);
  EXPECT_EQ(error == nullptr, registration != nullptr);
  mooring_registration_destroy(registration);
  return error;
}

CONFORMANCE_TEST(Arguments, RingOptionsFollowTheSizeRules, kAnywhere) {
  ExpectSizeRules(RingOptions());
}
CONFORMANCE_TEST(Arguments, SlabOptionsFollowTheSizeRules, kAnywhere) {
  ExpectSizeRules(SlabOptions());
}
CONFORMANCE_TEST(Arguments, RegistrationOptionsFollowTheSizeRules, kAnywhere) {
  ExpectSizeRules(RegistrationOptions(MOORING_POLICY_NEVER));
}

CONFORMANCE_TEST(Arguments, UnknownChoicesAreRefused, kAnywhere) {
  mooring_ring_options_t ring = RingOptions();
  ring.flags |= 1u << 31;
  EXPECT_REFUSED(Create(&ring), MOORING_CODE_UNSUPPORTED, "flags");
  ring = RingOptions();
  ring.engine = 99;
  EXPECT_REFUSED(Create(&ring), MOORING_CODE_INVALID_ARGUMENT, "engine");
  mooring_registration_options_t registration = RegistrationOptions();
  registration.flags = 1u << 31;
  EXPECT_REFUSED(Create(&registration), MOORING_CODE_UNSUPPORTED, "flags");
  registration = RegistrationOptions();
  registration.policy = 99;
  EXPECT_REFUSED(Create(&registration), MOORING_CODE_INVALID_ARGUMENT, "policy");
  registration = RegistrationOptions();
  registration.provided_buffer_count = 32769;
  EXPECT_REFUSED(Create(&registration), MOORING_CODE_INVALID_ARGUMENT, "provided_buffer_count");
}

CONFORMANCE_TEST(Arguments, RingSizesAboveTheLimitsAreRefusedByName, kAnywhere) {
  const auto refuse = [&](uint32_t mooring_ring_options_t::*field, uint32_t value,
                          const char* name) {
    mooring_ring_options_t options = RingOptions();
    options.*field = value;
    EXPECT_REFUSED(Create(&options), MOORING_CODE_INVALID_ARGUMENT, name);
  };
  refuse(&mooring_ring_options_t::submission_count, 32'769, "submission_count");
  refuse(&mooring_ring_options_t::in_flight_max, 1'048'577, "in_flight_max");
  refuse(&mooring_ring_options_t::fixed_buffer_count, 16'385, "fixed_buffer_count");
  refuse(&mooring_ring_options_t::fixed_file_count, 32'769, "fixed_file_count");
  refuse(&mooring_ring_options_t::worker_count, 257, "worker_count");
}

CONFORMANCE_TEST(Arguments, InfoStructsThatAreTooShortAreRefused, kAnywhere) {
  mooring_ring_info_t ring{};
  EXPECT_REFUSED(mooring_ring_get_info(ring_.get(), &ring), MOORING_CODE_INVALID_ARGUMENT,
                 "struct_size");
  mooring_ring_stats_t stats{};
  EXPECT_REFUSED(mooring_ring_get_stats(ring_.get(), &stats), MOORING_CODE_INVALID_ARGUMENT,
                 "struct_size");
  mooring_slab_info_t slab{};
  EXPECT_REFUSED(mooring_slab_get_info(slab_.get(), &slab), MOORING_CODE_INVALID_ARGUMENT,
                 "struct_size");
  mooring_registration_info_t registration{};
  EXPECT_REFUSED(mooring_registration_get_info(registration_.get(), &registration),
                 MOORING_CODE_INVALID_ARGUMENT, "struct_size");
  mooring_extent_info_t extent{};
  EXPECT_REFUSED(mooring_registration_get_extent(registration_.get(), 0, &extent),
                 MOORING_CODE_INVALID_ARGUMENT, "struct_size");
  mooring_facts_t facts{};
  EXPECT_REFUSED(mooring_facts_get(&facts), MOORING_CODE_INVALID_ARGUMENT, "struct_size");
}

CONFORMANCE_TEST(Arguments, TheTailOfALaterInfoStructIsZeroed, kAnywhere) {
  Longer<mooring_ring_info_t> longer;
  std::memset(&longer, 0xff, sizeof longer);
  longer.options.struct_size = sizeof longer;
  ASSERT_OK(mooring_ring_get_info(ring_.get(), &longer.options));
  EXPECT_EQ(longer.options.engine, CurrentExpectation().engine);
  EXPECT_TRUE(IsAll(longer.tail, std::byte{0}, sizeof longer.tail));
}

CONFORMANCE_TEST(Arguments, ReapRefusesInvalidArguments, kAnywhere) {
  mooring_completion_t completions[2];
  uint32_t got = 0;
  EXPECT_REFUSED(mooring_ring_reap(ring_.get(), completions, 0, 0, 0, &got),
                 MOORING_CODE_INVALID_ARGUMENT, "capacity");
  EXPECT_REFUSED(mooring_ring_reap(ring_.get(), completions, 2, 3, 0, &got),
                 MOORING_CODE_INVALID_ARGUMENT, "min_count");
  EXPECT_REFUSED(mooring_ring_reap(ring_.get(), completions, 2, 1, -1, &got),
                 MOORING_CODE_INVALID_ARGUMENT, "timeout_ns");
  EXPECT_REFUSED(mooring_ring_close(ring_.get(), -1), MOORING_CODE_INVALID_ARGUMENT, "timeout_ns");
  EXPECT_EQ(RunOne(ring_, Nop()).result, 0) << "a refused call must leave the ring as it was";
}

CONFORMANCE_TEST(Arguments, NullPointersAreRefused, kAnywhere) {
  mooring_registration_t* registration = nullptr;
  const mooring_registration_options_t options = RegistrationOptions();
  uint32_t count = 0;
  EXPECT_REFUSED(mooring_ring_create(nullptr, nullptr), MOORING_CODE_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(mooring_registration_create(ring_.get(), nullptr, &options, &registration),
                 MOORING_CODE_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), nullptr, 1, &count),
                 MOORING_CODE_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(mooring_slab_acquire(slab_.get(), 1, nullptr), MOORING_CODE_INVALID_ARGUMENT,
                 "NULL");
  EXPECT_OK(mooring_ring_submit(ring_.get(), nullptr, 0, &count))
      << "a submit of no operations succeeds";
}

CONFORMANCE_TEST(Arguments, NullOptionsAreTheDefaults, kAnywhere) {
  mooring_ring_t* made = nullptr;
  ASSERT_OK(mooring_ring_create(nullptr, &made));
  const Ring ring(made);
  EXPECT_GE(Info(ring).submission_count, 128u);
  mooring_slab_t* mapped = nullptr;
  ASSERT_OK(mooring_slab_create(nullptr, &mapped));
  const Slab slab(mapped);
  EXPECT_EQ(Info(slab).buffer_count, 64u);
  mooring_registration_t* registered = nullptr;
  ASSERT_OK(mooring_registration_create(ring.get(), slab_.get(), nullptr, &registered));
  const Registration registration(registered);
  EXPECT_EQ(Info(registration).policy, MOORING_POLICY_PREFER);
}

CONFORMANCE_TEST(Arguments, TheErrorOfSuccessIsEmpty, kAnywhere) {
  EXPECT_EQ(mooring_error_code(nullptr), MOORING_CODE_OK);
  EXPECT_STREQ(mooring_error_message(nullptr), "");
  EXPECT_STREQ(mooring_error_remedy(nullptr), "");
  EXPECT_EQ(mooring_error_system_error(nullptr), 0);
  EXPECT_STREQ(mooring_code_name(MOORING_CODE_MEMLOCK_LIMIT), "MEMLOCK_LIMIT");
  EXPECT_STREQ(mooring_code_name(4711), "UNKNOWN");
}

}  // namespace
}  // namespace mooring::conformance
