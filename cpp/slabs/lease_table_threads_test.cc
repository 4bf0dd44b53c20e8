// LeaseTable with several threads. Run it with --config=tsan too: canaries are plain memory, so
// tsan reports a data race if two threads own a lease, or if the writes of the last owner are not
// ordered before the next lease.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "cpp/base/deadline.h"
#include "cpp/slabs/lease_table.h"
#include "cpp/slabs/testing/test_random.h"

namespace mooring {
namespace {

constexpr uint32_t kThreads = 4;
constexpr int64_t kRunNs = 400'000'000;

template <typename Body>
void RunThreads(Body body) {
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// One plain word per buffer, which identifies its owner.
class Canaries {
 public:
  explicit Canaries(uint32_t buffer_count) : words_(buffer_count) {}

  void Write(const Lease& lease, uint64_t value) {
    for (uint32_t i = 0; i < lease.buffer_count; ++i) words_[lease.first_index + i] = value;
  }
  bool Hold(const Lease& lease, uint64_t value) const {
    for (uint32_t i = 0; i < lease.buffer_count; ++i) {
      if (words_[lease.first_index + i] != value) return false;
    }
    return true;
  }

 private:
  std::vector<uint64_t> words_;
};

class LeaseTableUnderThreads : public ::testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Sizes, LeaseTableUnderThreads, ::testing::Values(8, 64, 300, 4096));

TEST_P(LeaseTableUnderThreads, NeverLeasesABufferTwice) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(GetParam());
  Canaries canaries(GetParam());
  TestRandom seeds;
  std::atomic<uint64_t> damage{0};
  const Deadline deadline = Deadline::After(kRunNs);
  RunThreads([&](uint32_t thread) {
    TestRandom random(seeds.seed() + thread);
    struct Owned {
      Lease lease;
      uint64_t value;
    };
    std::vector<Owned> owned;
    uint64_t value = uint64_t{thread} << 56;
    for (uint32_t turn = 0; turn % 64 != 0 || !deadline.Passed(); ++turn) {
      Lease lease;
      if (owned.size() < 5 && random.Below(2) == 0) {
        const uint32_t count =
            1 + (random.Below(2) == 0 ? random.Below(std::min(GetParam(), 70u)) : 0);
        if (!table->Acquire(count, &lease).ok()) continue;
        canaries.Write(lease, ++value);
        owned.push_back({lease, value});
      } else if (!owned.empty()) {
        std::swap(owned[random.Below(static_cast<uint32_t>(owned.size()))], owned.back());
        if (!canaries.Hold(owned.back().lease, owned.back().value)) ++damage;
        if (!table->Release(owned.back().lease).ok()) ++damage;
        owned.pop_back();
      }
    }
    for (const Owned& each : owned) {
      if (!table->Release(each.lease).ok()) ++damage;
    }
  });
  EXPECT_EQ(damage, 0u);
  EXPECT_EQ(table->LeasedCount(), 0u);
  Lease all;
  EXPECT_TRUE(table->Acquire(GetParam(), &all).ok());
}

// Owners acquire a lease, pass it to a helper that holds it as an operation does, and release it
// early. Helpers write to the buffers while they hold them, then drop the hold.
TEST_P(LeaseTableUnderThreads, KeepsBuffersUntilTheyAreReleasedAndUnheld) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(GetParam());
  Canaries canaries(GetParam());
  std::atomic<uint64_t> damage{0};
  struct alignas(64) Mailbox {
    std::atomic<uint32_t> state{0};  // 0 empty, 1 full and held
    Lease lease;
    uint64_t value = 0;
  };
  std::vector<Mailbox> mailboxes(kThreads);
  std::atomic<uint32_t> owners_left{kThreads / 2};
  const Deadline deadline = Deadline::After(kRunNs);
  RunThreads([&](uint32_t thread) {
    Mailbox& mailbox = mailboxes[thread / 2];
    if (thread % 2 == 0) {
      uint64_t value = uint64_t{thread} << 56;
      for (uint32_t turn = 0; turn % 64 != 0 || !deadline.Passed(); ++turn) {
        Lease lease;
        if (!table->Acquire(1 + turn % 3, &lease).ok()) continue;
        canaries.Write(lease, ++value);
        if (table->Hold(lease.first_index, lease.generation) != lease.buffer_count) ++damage;
        // Acquire pairs with the helper's release: the owner may use the mailbox again.
        while (mailbox.state.load(std::memory_order_acquire) != 0) std::this_thread::yield();
        mailbox.lease = lease;
        mailbox.value = value;
        // Release publishes the mailbox to the helper.
        mailbox.state.store(1, std::memory_order_release);
        if (!table->Release(lease).ok()) ++damage;
      }
      --owners_left;
    } else {
      while (owners_left > 0 || mailbox.state.load(std::memory_order_acquire) != 0) {
        if (mailbox.state.load(std::memory_order_acquire) == 0) {
          std::this_thread::yield();
          continue;
        }
        const Lease lease = mailbox.lease;
        const uint64_t value = mailbox.value;
        mailbox.state.store(0, std::memory_order_release);
        if (!canaries.Hold(lease, value)) ++damage;
        canaries.Write(lease, ~value);
        if (!canaries.Hold(lease, ~value)) ++damage;
        table->Unhold(lease.first_index);
      }
    }
  });
  EXPECT_EQ(damage, 0u);
  EXPECT_EQ(table->LeasedCount(), 0u);
  EXPECT_EQ(table->HeldCount(), 0u);
}

TEST(LeaseTable, AcceptsOnlyOneOfConcurrentReleasesOfALease) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4);
  const Deadline deadline = Deadline::After(kRunNs);
  uint64_t rounds = 0;
  while (!deadline.Passed()) {
    ++rounds;
    Lease lease;
    ASSERT_TRUE(table->Acquire(3, &lease).ok());
    std::atomic<uint32_t> succeeded{0};
    std::atomic<uint32_t> holds{0};
    RunThreads([&](uint32_t) {
      if (table->Hold(lease.first_index, lease.generation) != 0) ++holds;
      if (table->Release(lease).ok()) ++succeeded;
    });
    ASSERT_EQ(succeeded, 1u) << "round " << rounds;
    for (uint32_t i = 0; i < holds; ++i) table->Unhold(lease.first_index);
    ASSERT_EQ(table->LeasedCount(), 0u) << "round " << rounds;
  }
}

}  // namespace
}  // namespace mooring
