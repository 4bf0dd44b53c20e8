// Growth of a slab and its bookkeeping. slab_memory_growth_test.cc tests growth of its pages.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cpp/base/thread_annotations.h"
#include "cpp/slabs/free_bitmap.h"
#include "cpp/slabs/lease_table.h"
#include "cpp/slabs/slab.h"
#include "testing/support/proc_self.h"

namespace mooring {
namespace {

constexpr uint32_t kNone = FreeBitmap::kNone;

TEST(FreeBitmapGrowth, EveryStepAddsItsBuffersAcrossEveryBorder) {
  for (const uint32_t step : {1u, 31u, 32u, 33u, 500u, 2048u}) {
    const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(step, 20 * step);
    for (uint32_t count = step; count <= 20 * step; count += step) {
      ASSERT_EQ(bitmap->buffer_count(), count);
      ASSERT_EQ(bitmap->CountFree(), step);
      ASSERT_EQ(bitmap->Claim(step), count - step) << "step " << step;
      ASSERT_EQ(bitmap->Claim(1), kNone);
      ASSERT_EQ(bitmap->NextTaken(0), 0u);
      if (count < 20 * step) bitmap->Grow(step);
    }
    bitmap->Return({0, 20 * step});
    EXPECT_EQ(bitmap->NextTaken(0), 20 * step);
    EXPECT_EQ(bitmap->Claim(20 * step), 0u) << "old and new buffers do not form a run";
  }
}

TEST(FreeBitmapGrowth, ARunMayContainOldAndNewBuffers) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(40, 100);
  ASSERT_EQ(bitmap->Claim(38), 0u);
  EXPECT_EQ(bitmap->Claim(3), kNone);
  bitmap->Grow(60);
  EXPECT_EQ(bitmap->Claim(3), 38u);
}

TEST(LeaseTableGrowth, DoesNotChangeExistingLeasesAndHolds) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8, 1000);
  Lease before;
  Lease added;
  ASSERT_TRUE(table->Acquire(8, &before).ok());
  ASSERT_EQ(table->Hold(before.first_index, before.generation), 8u);
  EXPECT_EQ(table->Acquire(9, &added).code(), Code::kInvalidArgument);
  table->Grow(992);
  EXPECT_TRUE(table->IsCurrent(before.first_index, before.generation));
  ASSERT_TRUE(table->Acquire(992, &added).ok());
  EXPECT_EQ(added.first_index, 8u);
  EXPECT_TRUE(table->Release(before).ok());
  EXPECT_EQ(table->HeldCount(), 8u);
  table->Unhold(before.first_index);
  EXPECT_TRUE(table->Release(added).ok());
  EXPECT_EQ(table->LeasedCount(), 0u);
}

// Threads acquire leases while the table grows. Canaries are plain memory, so --config=tsan reports
// a data race if two threads own a buffer, or if the writes of the last owner are not ordered
// before the next lease.
TEST(LeaseTableGrowth, NeverLeasesABufferTwiceDuringGrowth) {
  constexpr uint32_t kBuffers = 3000;
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4, kBuffers);
  std::vector<uint64_t> canaries(kBuffers);
  std::atomic<uint64_t> damage{0};
  std::atomic<bool> done{false};
  auto lease = [&](uint64_t mine) {
    for (uint32_t turn = 0; !done || turn < 1000; ++turn) {
      Lease taken;
      if (!table->Acquire(1 + turn % 5 * 20, &taken).ok() && !table->Acquire(1, &taken).ok())
        continue;
      const auto first = canaries.begin() + taken.first_index;
      std::fill(first, first + taken.buffer_count, mine + turn);
      std::this_thread::yield();
      const auto kept = std::count(first, first + taken.buffer_count, mine + turn);
      damage += taken.buffer_count - static_cast<uint64_t>(kept);
      damage += !table->Release(taken).ok();
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; ++i) threads.emplace_back(lease, i << 40);
  for (uint32_t count = 4; count < kBuffers;) {
    const uint32_t more = std::min(7u, kBuffers - count);
    table->Grow(more);
    count += more;
    std::this_thread::yield();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(damage, 0u);
  EXPECT_EQ(table->LeasedCount(), 0u);
  Lease all;
  EXPECT_TRUE(table->Acquire(kBuffers, &all).ok()) << "a buffer was lost";
}

class SlabGrowth : public ::testing::Test {
 protected:
  static RefPtr<Slab> MustCreate(const SlabOptions& options) {
    Result<RefPtr<Slab>> made = Slab::Create(options);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.ok() ? std::move(made).value() : nullptr;
  }
  static Status Grow(Slab& slab, uint64_t buffer_count) {
    MutexLock lock(slab.growth_mutex());
    Result<uint64_t> prepared = slab.PrepareGrowth(buffer_count);
    if (!prepared.ok()) return prepared.TakeStatus();
    EXPECT_EQ(prepared.value(), slab.total_bytes() + buffer_count * slab.buffer_bytes());
    slab.PublishGrowth();
    return OkStatus();
  }
};

TEST_F(SlabGrowth, IsVisibleOnlyAfterPublish) {
  const RefPtr<Slab> slab =
      MustCreate({.buffer_bytes = 4096, .buffer_count = 4, .buffer_count_max = 16});
  MutexLock lock(slab->growth_mutex());
  ASSERT_TRUE(slab->PrepareGrowth(12).ok());
  EXPECT_EQ(slab->total_bytes(), 4u * 4096);
  EXPECT_EQ(slab->Info().buffer_count, 4u);
  EXPECT_EQ(slab->Info().touched_bytes, 4u * 4096);
  EXPECT_EQ(slab->Data({.first_index = 4}), nullptr);
  Lease lease;
  EXPECT_FALSE(slab->Acquire(5, &lease).ok());
  slab->PublishGrowth();
  EXPECT_EQ(slab->total_bytes(), 16u * 4096);
  EXPECT_EQ(slab->Info().touched_bytes, 16u * 4096);
  EXPECT_EQ(slab->Data({.first_index = 15}), slab->base() + 15 * 4096);
  ASSERT_TRUE(slab->Acquire(16, &lease).ok());
  std::memset(slab->Data(lease), 1, 16 * 4096);
}

TEST_F(SlabGrowth, CanBeDiscardedAndRepeated) {
  const RefPtr<Slab> slab =
      MustCreate({.buffer_bytes = 1536, .buffer_count = 3, .buffer_count_max = 64});
  for (uint64_t turn = 1; turn <= 20; ++turn) {
    {
      MutexLock lock(slab->growth_mutex());
      ASSERT_TRUE(slab->PrepareGrowth(40).ok());
      slab->DiscardGrowth();
    }
    EXPECT_EQ(slab->buffer_count(), 2 + turn);
    ASSERT_TRUE(Grow(*slab, 1).ok());
    std::memset(slab->Data({.first_index = static_cast<uint32_t>(2 + turn)}), 7, 1536);
  }
}

TEST_F(SlabGrowth, CountsOnlyExistingBuffers) {
  const RefPtr<Slab> slab = MustCreate(
      {.buffer_bytes = 4096, .buffer_count = 1, .buffer_count_max = Slab::kBufferCountMax});
  SlabInfo info = slab->Info();
  EXPECT_EQ(info.total_bytes, 4096u);
  EXPECT_EQ(info.touched_bytes, 4096u);
  EXPECT_EQ(info.leased_count, 0u);
  EXPECT_EQ(info.buffer_count_max, Slab::kBufferCountMax);
  ASSERT_TRUE(Grow(*slab, 5000).ok());
  info = slab->Info();
  EXPECT_EQ(info.touched_bytes, 5001u * 4096);
  EXPECT_EQ(info.leased_count, 0u);
}

TEST_F(SlabGrowth, ALargeMaximumUsesLittleMemory) {
  const auto resident = [] { return std::stoull(conformance::StatusLine("VmRSS")); };  // kB
  const uint64_t before = resident();
  const RefPtr<Slab> slab = MustCreate({.buffer_bytes = 4096,
                                        .buffer_count = 1,
                                        .huge_pages = HugePages::kNever,
                                        .buffer_count_max = Slab::kBufferCountMax});
  ASSERT_TRUE(static_cast<bool>(slab));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // The bookkeeping of 2^24 buffers would be 260 MiB if it were all in memory.
  EXPECT_LT(resident() - before, 16u << 10);
#else
  (void)before;
#endif
}

TEST_F(SlabGrowth, RejectsInvalidGrowthWithTheNumbers) {
  const RefPtr<Slab> slab =
      MustCreate({.buffer_bytes = 4096, .buffer_count = 4, .buffer_count_max = 6});
  const Status status = Grow(*slab, 3);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("6"), std::string::npos) << status.message();
  EXPECT_EQ(Grow(*slab, 0).code(), Code::kInvalidArgument);
  EXPECT_EQ(Grow(*slab, UINT64_MAX).code(), Code::kInvalidArgument);
  slab->Close();
  EXPECT_EQ(Grow(*slab, 1).code(), Code::kInvalidState);
  std::vector<std::byte> memory(8192);
  const RefPtr<Slab> adopted =
      Slab::Adopt(memory.data(), memory.size(), {.buffer_bytes = 4096}).value();
  EXPECT_EQ(Grow(*adopted, 1).code(), Code::kUnsupported);
}

}  // namespace
}  // namespace mooring
