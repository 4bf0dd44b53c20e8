#include "testing/faults/balance.h"

#include <sys/mman.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace mooring::faults {
namespace {

std::atomic<int64_t> mapped_bytes{0};
std::atomic<int64_t> thread_count{0};

struct RefusedRanges {
  std::mutex mutex;
  std::vector<std::pair<void*, size_t>> ranges;
};

RefusedRanges& RefusedUnmaps() {
  static RefusedRanges refused;
  return refused;
}

}  // namespace

Balance ReadBalance() {
  return {.mapped_bytes = mapped_bytes.load(std::memory_order_relaxed),
          .thread_count = thread_count.load(std::memory_order_relaxed)};
}

void CountMapped(int64_t bytes) { mapped_bytes.fetch_add(bytes, std::memory_order_relaxed); }

void CountThread(int64_t difference) {
  thread_count.fetch_add(difference, std::memory_order_relaxed);
}

void RecordRefusedUnmap(void* data, size_t size) {
  RefusedRanges& refused = RefusedUnmaps();
  const std::lock_guard lock(refused.mutex);
  refused.ranges.emplace_back(data, size);
}

void UnmapRefused() {
  std::vector<std::pair<void*, size_t>> ranges;
  {
    RefusedRanges& refused = RefusedUnmaps();
    const std::lock_guard lock(refused.mutex);
    ranges.swap(refused.ranges);
  }
  for (const auto& [data, size] : ranges) munmap(data, size);
}

}  // namespace mooring::faults
