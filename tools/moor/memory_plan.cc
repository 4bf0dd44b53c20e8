#include "tools/moor/memory_plan.h"

#include <algorithm>
#include <string>

#include "tools/moor/failure.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr uint64_t kDefaultBufferBytes = UINT64_C(1) << 20;
constexpr uint64_t kBufferAlignment = 512;        // slab.h: buffer_bytes is a multiple of 512
constexpr uint64_t kBufferCountMax = 16'777'216;  // slab.h
constexpr uint64_t kDefaultBufferCountMax = 1 << 20;
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kChunkCountMax = 1024;              // more reads in flight are not faster
constexpr uint64_t kReadBytesMax = UINT64_C(1) << 30;  // an extent: a longer read cannot be fixed
constexpr uint64_t kChunksWanted = 16;

uint64_t RoundDown(uint64_t value, uint64_t unit) { return value - value % unit; }

// A quarter of a small slab, so that reads and writes overlap. More than 1 MiB in a slab that would
// have too many buffers otherwise.
uint64_t DefaultBufferBytes(uint64_t slab_bytes) {
  if (slab_bytes / kDefaultBufferBytes > kDefaultBufferCountMax) {
    return RoundDown(slab_bytes / kDefaultBufferCountMax, kPageBytes);
  }
  const uint64_t quarter = std::min(kDefaultBufferBytes, slab_bytes / 4);
  const uint64_t unit = quarter >= kPageBytes ? kPageBytes : kBufferAlignment;
  return std::max(RoundDown(quarter, unit), kBufferAlignment);
}

}  // namespace

SlabPlan PlanSlab(const TransferOptions& options) {
  SlabPlan plan;
  const uint64_t slab_bytes =
      options.slab_bytes.value_or(std::max(kDefaultSlabBytes, options.buffer_bytes.value_or(0)));
  plan.buffer_bytes = options.buffer_bytes.value_or(DefaultBufferBytes(slab_bytes));
  if (plan.buffer_bytes % kBufferAlignment != 0) {
    throw UsageFailure(
        "--buffer-bytes is " + FormatBytes(plan.buffer_bytes) + ", which is not a multiple of 512",
        "use --buffer-bytes " +
            std::to_string(RoundDown(plan.buffer_bytes, kBufferAlignment) + kBufferAlignment));
  }
  if (slab_bytes < plan.buffer_bytes) {
    throw UsageFailure("--slab-bytes is " + FormatBytes(slab_bytes) + ", less than one buffer of " +
                           FormatBytes(plan.buffer_bytes),
                       "raise --slab-bytes, or lower --buffer-bytes");
  }
  plan.buffer_count = slab_bytes / plan.buffer_bytes;
  if (plan.buffer_count > kBufferCountMax) {
    throw UsageFailure("a slab of " + FormatBytes(slab_bytes) + " has more than " +
                           FormatCount(kBufferCountMax) + " buffers of " +
                           FormatBytes(plan.buffer_bytes),
                       "raise --buffer-bytes");
  }
  const uint64_t window_bytes = options.window_bytes.value_or(slab_bytes);
  if (window_bytes > slab_bytes || window_bytes < plan.buffer_bytes) {
    throw UsageFailure(
        "--window-bytes is " + FormatBytes(window_bytes) +
            ", which is not between one buffer and the slab",
        "choose between " + FormatBytes(plan.buffer_bytes) + " and " + FormatBytes(slab_bytes));
  }
  plan.window_bytes = std::min(window_bytes, plan.total_bytes());
  return plan;
}

WindowPlan PlanWindow(const SlabPlan& slab, std::optional<uint64_t> total_bytes) {
  uint64_t wanted = slab.window_bytes / kChunksWanted;
  if (total_bytes) {
    wanted = std::min(wanted, *total_bytes / 4);
  }
  wanted = std::clamp(wanted, kChunkBytesMin, kChunkBytesMax);
  WindowPlan plan;
  const uint64_t buffers =
      std::clamp<uint64_t>(wanted / slab.buffer_bytes, 1, slab.window_bytes / slab.buffer_bytes);
  const uint64_t leased_bytes = buffers * slab.buffer_bytes;
  plan.buffers_per_chunk = static_cast<uint32_t>(buffers);
  plan.chunk_bytes = std::min(leased_bytes, kReadBytesMax);
  plan.chunk_count = static_cast<uint32_t>(
      std::clamp<uint64_t>(slab.window_bytes / leased_bytes, 1, kChunkCountMax));
  return plan;
}

}  // namespace moor
