// Structs that grow (c_api/src/structs.h): callers that are older or newer than this library.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "mooring/mooring.h"

namespace {

// The struct of a newer caller: it has fields at its end that this library does not know.
template <typename T>
struct Newer {
  T known;
  unsigned char tail[24];
};

uint32_t CodeOf(mooring_error_t* error) {
  const uint32_t code = mooring_error_code(error);
  mooring_error_destroy(error);
  return code;
}

TEST(StructSize, AcceptsOptionsOfANewerCallerWhoseTailIsZero) {
  Newer<mooring_slab_options_t> options = {};
  options.known.struct_size = sizeof options;
  options.known.buffer_bytes = 4096;
  options.known.buffer_count = 1;
  mooring_slab_t* slab = nullptr;
  ASSERT_EQ(CodeOf(mooring_slab_create(&options.known, &slab)), uint32_t{MOORING_CODE_OK});
  mooring_slab_destroy(slab);
}

TEST(StructSize, RejectsAnUnknownOptionAndNamesItsByte) {
  Newer<mooring_ring_options_t> options = {};
  options.known.struct_size = sizeof options;
  options.tail[5] = 1;
  mooring_ring_t* ring = nullptr;
  mooring_error_t* error = mooring_ring_create(&options.known, &ring);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(mooring_error_code(error), uint32_t{MOORING_CODE_UNSUPPORTED});
  const std::string byte = std::to_string(sizeof(mooring_ring_options_t) + 5);
  EXPECT_NE(std::string(mooring_error_message(error)).find(byte), std::string::npos)
      << mooring_error_message(error);
  mooring_error_destroy(error);
}

TEST(StructSize, RejectsASizeBelowTheFirstRelease) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.struct_size = sizeof options - 4;
  mooring_ring_t* ring = nullptr;
  EXPECT_EQ(CodeOf(mooring_ring_create(&options, &ring)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  mooring_facts_t facts = {};
  EXPECT_EQ(CodeOf(mooring_facts_get(&facts)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
}

TEST(StructSize, RejectsASizeAboveTheLimitAndWritesNothing) {
  struct {
    mooring_facts_t facts;
    unsigned char more[8192];
  } room;
  std::memset(&room, 0xee, sizeof room);
  room.facts.struct_size = 4097;
  EXPECT_EQ(CodeOf(mooring_facts_get(&room.facts)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  for (const unsigned char byte : room.more) ASSERT_EQ(byte, 0xee);
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.struct_size = UINT32_MAX;
  mooring_ring_t* ring = nullptr;
  EXPECT_EQ(CodeOf(mooring_ring_create(&options, &ring)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
}

TEST(StructSize, RejectsUnknownFlags) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.flags = 1u << 31;
  mooring_ring_t* ring = nullptr;
  EXPECT_EQ(CodeOf(mooring_ring_create(&options, &ring)), uint32_t{MOORING_CODE_UNSUPPORTED});
}

TEST(StructSize, ZeroesTheTailOfANewerInfoAndKeepsItsSize) {
  Newer<mooring_facts_t> facts;
  std::memset(&facts, 0xee, sizeof facts);
  facts.known.struct_size = sizeof facts;
  ASSERT_EQ(CodeOf(mooring_facts_get(&facts.known)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(facts.known.struct_size, sizeof facts);
  EXPECT_GE(facts.known.page_bytes, 4096u);
  EXPECT_NE(std::string(facts.known.kernel_release), "");
  for (unsigned char byte : facts.tail) EXPECT_EQ(byte, 0);
}

// mooring_ring_stats_t before it had counters of sends.
TEST(StructSize, WritesStatsOfAnOlderCallerUpToTheEndOfItsStruct) {
  mooring_ring_t* ring = nullptr;
  ASSERT_EQ(CodeOf(mooring_ring_create(nullptr, &ring)), uint32_t{MOORING_CODE_OK});
  mooring_ring_stats_t stats;
  std::memset(&stats, 0xee, sizeof stats);
  stats.struct_size = offsetof(mooring_ring_stats_t, send);
  EXPECT_EQ(CodeOf(mooring_ring_get_stats(ring, &stats)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(stats.struct_size, 120u);
  EXPECT_EQ(stats.overflow_count, 0u);
  EXPECT_EQ(stats.send, UINT64_C(0xeeeeeeeeeeeeeeee)) << "beyond the caller's struct";
  stats.struct_size -= 8;
  EXPECT_EQ(CodeOf(mooring_ring_get_stats(ring, &stats)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  mooring_ring_destroy(ring);
}

// A caller that is older than the fields about clones: the library writes nothing beyond its
// struct.
TEST(StructSize, WritesInfosOfOlderCallersUpToTheEndOfTheirStructs) {
  mooring_ring_t* ring = nullptr;
  mooring_slab_t* slab = nullptr;
  mooring_registration_t* registration = nullptr;
  ASSERT_EQ(CodeOf(mooring_ring_create(nullptr, &ring)), uint32_t{MOORING_CODE_OK});
  ASSERT_EQ(CodeOf(mooring_slab_create(nullptr, &slab)), uint32_t{MOORING_CODE_OK});
  ASSERT_EQ(CodeOf(mooring_registration_create(ring, slab, nullptr, &registration)),
            uint32_t{MOORING_CODE_OK});
  mooring_registration_info_t info;
  std::memset(&info, 0xee, sizeof info);
  info.struct_size = offsetof(mooring_registration_info_t, bytes_cloned);
  ASSERT_EQ(CodeOf(mooring_registration_get_info(registration, &info)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(info.bytes_requested, 64u << 20);
  EXPECT_EQ(info.bytes_cloned, 0xeeeeeeeeeeeeeeeeu);
  mooring_extent_info_t extent;
  std::memset(&extent, 0xee, sizeof extent);
  extent.struct_size = offsetof(mooring_extent_info_t, source);
  ASSERT_EQ(CodeOf(mooring_registration_get_extent(registration, 0, &extent)),
            uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(extent.offset, 0u);
  EXPECT_EQ(extent.source, 0xeeeeeeeeu);
  extent.struct_size -= 4;
  EXPECT_EQ(CodeOf(mooring_registration_get_extent(registration, 0, &extent)),
            uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  mooring_registration_destroy(registration);
  mooring_slab_destroy(slab);
  mooring_ring_destroy(ring);
}

// A caller that is older than mooring_slab_grow.
TEST(StructSize, ASlabOfAnOlderCallerDoesNotGrow) {
  mooring_slab_options_t options;
  std::memset(&options, 0, sizeof options);
  options.struct_size = offsetof(mooring_slab_options_t, buffer_count_max);
  options.buffer_bytes = 4096;
  options.buffer_count = 2;
  options.buffer_count_max = 100;  // beyond the caller's struct
  mooring_slab_t* slab = nullptr;
  ASSERT_EQ(CodeOf(mooring_slab_create(&options, &slab)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(CodeOf(mooring_slab_grow(slab, 1)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  mooring_slab_info_t info;
  std::memset(&info, 0xee, sizeof info);
  info.struct_size = offsetof(mooring_slab_info_t, buffer_count_max);
  ASSERT_EQ(CodeOf(mooring_slab_get_info(slab, &info)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(info.buffer_count, 2u);
  EXPECT_EQ(info.buffer_count_max, UINT64_C(0xeeeeeeeeeeeeeeee)) << "beyond the caller's struct";
  mooring_slab_destroy(slab);
}

TEST(StructSize, NullOptionsMeanDefault) {
  mooring_slab_t* slab = nullptr;
  ASSERT_EQ(CodeOf(mooring_slab_create(nullptr, &slab)), uint32_t{MOORING_CODE_OK});
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  ASSERT_EQ(CodeOf(mooring_slab_get_info(slab, &info)), uint32_t{MOORING_CODE_OK});
  EXPECT_EQ(info.buffer_bytes, 1u << 20);
  EXPECT_EQ(info.buffer_count, 64u);
  mooring_slab_destroy(slab);
}

TEST(StructSize, RejectsNullOutputs) {
  EXPECT_EQ(CodeOf(mooring_slab_create(nullptr, nullptr)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  EXPECT_EQ(CodeOf(mooring_ring_create(nullptr, nullptr)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  EXPECT_EQ(CodeOf(mooring_facts_get(nullptr)), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
}

}  // namespace
