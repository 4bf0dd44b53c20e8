#include "tools/moor/memory_plan.h"

#include <gtest/gtest.h>

#include "tools/moor/failure.h"

namespace moor {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

TransferOptions Options(std::optional<uint64_t> slab, std::optional<uint64_t> buffer = {},
                        std::optional<uint64_t> window = {}) {
  TransferOptions options;
  options.slab_bytes = slab;
  options.buffer_bytes = buffer;
  options.window_bytes = window;
  return options;
}

TEST(PlanSlab, Has64BuffersOfOneMiBByDefault) {
  const SlabPlan plan = PlanSlab({});
  EXPECT_EQ(plan.buffer_bytes, kMiB);
  EXPECT_EQ(plan.buffer_count, 64u);
  EXPECT_EQ(plan.window_bytes, 64 * kMiB);
}

TEST(PlanSlab, DividesASmallSlabByFour) {
  EXPECT_EQ(PlanSlab(Options(64 * kKiB)).buffer_bytes, 16 * kKiB);
  EXPECT_EQ(PlanSlab(Options(4 * kKiB)).buffer_bytes, kKiB);
  EXPECT_EQ(PlanSlab(Options(512)).buffer_count, 1u);
}

TEST(PlanSlab, RoundsDownToWholeBuffers) {
  const SlabPlan plan = PlanSlab(Options(10 * kMiB + 1));
  EXPECT_EQ(plan.total_bytes(), 10 * kMiB);
}

TEST(PlanSlab, DefaultSlabHasAtLeastOneBuffer) {
  EXPECT_EQ(PlanSlab(Options({}, 128 * kMiB)).total_bytes(), 128 * kMiB);
}

TEST(PlanSlab, RespectsTheMaximumBufferCount) {
  for (const uint64_t bytes : {uint64_t{3} << 40, uint64_t{1} << 56, UINT64_MAX}) {
    const SlabPlan plan = PlanSlab(Options(bytes));
    EXPECT_LE(plan.buffer_count, 16'777'216u);
    EXPECT_EQ(plan.buffer_bytes % 4096, 0u);
  }
}

TEST(PlanSlab, RejectsContradictorySizes) {
  EXPECT_THROW(PlanSlab(Options(64 * kKiB, 128 * kKiB)), UsageFailure);
  EXPECT_THROW(PlanSlab(Options(100)), UsageFailure);
  EXPECT_THROW(PlanSlab(Options(kMiB, 1000)), UsageFailure);
  EXPECT_THROW(PlanSlab(Options(kMiB, 64 * kKiB, 2 * kMiB)), UsageFailure);
  EXPECT_THROW(PlanSlab(Options(kMiB, 64 * kKiB, 32 * kKiB)), UsageFailure);
  EXPECT_THROW(PlanSlab(Options(uint64_t{16} << 30, 512)), UsageFailure);
}

TEST(PlanSlab, RemedyHasAValidSize) {
  try {
    PlanSlab(Options(kMiB, 1000));
    FAIL() << "1000 is not a multiple of 512";
  } catch (const UsageFailure& failure) {
    EXPECT_EQ(failure.status(), kExitUsage);
    EXPECT_NE(failure.remedy().find("--buffer-bytes 1024"), std::string::npos) << failure.remedy();
  }
}

TEST(PlanWindow, HasSixteenChunksForALargeFile) {
  const WindowPlan window = PlanWindow(PlanSlab({}), uint64_t{5} << 30);
  EXPECT_EQ(window.chunk_bytes, 4 * kMiB);
  EXPECT_EQ(window.buffers_per_chunk, 4u);
  EXPECT_EQ(window.chunk_count, 16u);
}

TEST(PlanWindow, DividesASmallFileForOverlappingReads) {
  EXPECT_EQ(PlanWindow(PlanSlab({}), 4 * kMiB).chunk_bytes, kMiB);
}

TEST(PlanWindow, KeepsChunksWithinTheLimits) {
  EXPECT_EQ(PlanWindow(PlanSlab(Options(uint64_t{8} << 30)), std::nullopt).chunk_bytes,
            kChunkBytesMax);
  const WindowPlan small = PlanWindow(PlanSlab(Options(kMiB, 4 * kKiB)), std::nullopt);
  EXPECT_EQ(small.chunk_bytes, kChunkBytesMin);
  EXPECT_EQ(small.buffers_per_chunk, 64u);
}

TEST(PlanWindow, NeverLeasesMoreThanTheWindow) {
  for (const uint64_t window_bytes : {kMiB, 3 * kMiB, 64 * kMiB}) {
    for (const uint64_t buffer_bytes : {uint64_t{512}, 4 * kKiB, 768 * kKiB, kMiB}) {
      const SlabPlan slab = PlanSlab(Options(64 * kMiB, buffer_bytes, window_bytes));
      const WindowPlan window = PlanWindow(slab, std::nullopt);
      EXPECT_LE(window.chunk_count * window.buffers_per_chunk * buffer_bytes, window_bytes);
      EXPECT_GE(window.chunk_count, 1u);
      EXPECT_LE(window.chunk_bytes, window.buffers_per_chunk * buffer_bytes);
    }
  }
}

TEST(PlanWindow, WorksWithOneBuffer) {
  const WindowPlan window = PlanWindow(PlanSlab(Options(512)), 1);
  EXPECT_EQ(window.chunk_count, 1u);
  EXPECT_EQ(window.chunk_bytes, 512u);
}

}  // namespace
}  // namespace moor
