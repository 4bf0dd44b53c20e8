// The headers are C++17: each compiles by itself and when it is included twice. Every function is
// noexcept.
#include <mooring/error.h>
#include <mooring/export.h>
#include <mooring/facts.h>
#include <mooring/operation.h>
#include <mooring/registration.h>
#include <mooring/ring.h>
#include <mooring/slab.h>
#include <mooring/version.h>

#include <mooring/mooring.h>

#include <gtest/gtest.h>

#include <string>

static_assert(noexcept(mooring_version()));
static_assert(noexcept(mooring_ring_create(nullptr, nullptr)));
static_assert(noexcept(mooring_slab_data(nullptr, mooring_lease_t{})));
static_assert(MOORING_VERSION_AT_LEAST(0, 1, 0));
static_assert(!MOORING_VERSION_AT_LEAST(99, 0, 0));

TEST(Headers, HaveTheVersionOfTheLibrary) {
  EXPECT_EQ(mooring_version(), MOORING_VERSION);
  const std::string text = std::to_string(MOORING_VERSION_MAJOR) + "." +
                           std::to_string(MOORING_VERSION_MINOR) + "." +
                           std::to_string(MOORING_VERSION_PATCH);
  EXPECT_EQ(mooring_version_string(), text);
}

TEST(Headers, InitialisersSetStructSize) {
  const mooring_slab_options_t slab = MOORING_SLAB_OPTIONS_INIT;
  const mooring_ring_options_t ring = MOORING_RING_OPTIONS_INIT;
  const mooring_registration_options_t registration = MOORING_REGISTRATION_OPTIONS_INIT;
  EXPECT_EQ(slab.struct_size, sizeof slab);
  EXPECT_EQ(ring.struct_size, sizeof ring);
  EXPECT_EQ(registration.struct_size, sizeof registration);
}
