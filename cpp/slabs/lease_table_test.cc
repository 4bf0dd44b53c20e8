#include "cpp/slabs/lease_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cpp/slabs/testing/test_random.h"

namespace mooring {

class LeaseTablePeer {
 public:
  static void SetGeneration(LeaseTable* table, uint32_t index, uint32_t generation) {
    table->State(index).store(uint64_t{generation} << 32, std::memory_order_relaxed);
  }
};

namespace {

Lease MustAcquire(LeaseTable* table, uint32_t buffer_count) {
  Lease lease;
  const Status status = table->Acquire(buffer_count, &lease);
  EXPECT_TRUE(status.ok()) << status.message();
  return lease;
}

TEST(LeaseTable, LeasesTheLowestRunThatFits) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(100);
  const Lease first = MustAcquire(table.get(), 3);
  const Lease second = MustAcquire(table.get(), 50);
  EXPECT_EQ(first.first_index, 0u);
  EXPECT_EQ(second.first_index, 3u);
  EXPECT_EQ(second.buffer_count, 50u);
  EXPECT_NE(second.generation, 0u);
  EXPECT_EQ(second.reserved, 0u);
  ASSERT_TRUE(table->Release(first).ok());
  EXPECT_EQ(MustAcquire(table.get(), 4).first_index, 53u);
  EXPECT_EQ(MustAcquire(table.get(), 2).first_index, 0u);
  EXPECT_EQ(table->LeasedCount(), 56u);
}

TEST(LeaseTable, ReturnsExhaustedAndRetryLaterWhenNoRunIsFree) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease all = MustAcquire(table.get(), 8);
  Lease lease{.first_index = 77};
  const Status status = table->Acquire(1, &lease);
  EXPECT_EQ(status.code(), Code::kExhausted);
  EXPECT_EQ(status.retry(), Retry::kLater);
  EXPECT_EQ(lease.first_index, 77u) << "a failed call has changed its output";
  EXPECT_TRUE(table->Release(all).ok());
  EXPECT_TRUE(table->Acquire(1, &lease).ok());
}

TEST(LeaseTable, ReturnsExhaustedWhenEnoughBuffersAreFreeButNotContiguous) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4);
  std::vector<Lease> leases(4);
  for (Lease& lease : leases) lease = MustAcquire(table.get(), 1);
  ASSERT_TRUE(table->Release(leases[0]).ok());
  ASSERT_TRUE(table->Release(leases[2]).ok());
  Lease lease;
  EXPECT_EQ(table->Acquire(2, &lease).code(), Code::kExhausted);
  ASSERT_TRUE(table->Release(leases[1]).ok());
  EXPECT_EQ(MustAcquire(table.get(), 3).first_index, 0u);
}

TEST(LeaseTable, RejectsZeroBuffersAndMoreThanItHas) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  Lease lease;
  EXPECT_EQ(table->Acquire(0, &lease).code(), Code::kInvalidArgument);
  EXPECT_EQ(table->Acquire(9, &lease).code(), Code::kInvalidArgument);
  EXPECT_EQ(table->Acquire(UINT32_MAX, &lease).code(), Code::kInvalidArgument);
  EXPECT_EQ(table->LeasedCount(), 0u);
}

TEST(LeaseTable, RejectsAcquireButAcceptsReleaseAfterClose) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease lease = MustAcquire(table.get(), 1);
  table->Close();
  Lease other;
  EXPECT_EQ(table->Acquire(1, &other).code(), Code::kInvalidState);
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 1u);
  table->Unhold(lease.first_index);
  EXPECT_TRUE(table->Release(lease).ok());
  EXPECT_EQ(table->LeasedCount(), 0u);
}

TEST(LeaseTable, RejectsASecondRelease) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease lease = MustAcquire(table.get(), 2);
  ASSERT_TRUE(table->Release(lease).ok());
  EXPECT_EQ(table->Release(lease).code(), Code::kInvalidState);
  EXPECT_EQ(table->LeasedCount(), 0u);
}

TEST(LeaseTable, DistinguishesAStaleLeaseFromTheNextLeaseOfTheBuffer) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease stale = MustAcquire(table.get(), 2);
  ASSERT_TRUE(table->Release(stale).ok());
  const Lease lease = MustAcquire(table.get(), 2);
  ASSERT_EQ(lease.first_index, stale.first_index);
  EXPECT_NE(lease.generation, stale.generation);
  EXPECT_EQ(table->Release(stale).code(), Code::kInvalidState);
  EXPECT_EQ(table->Hold(stale.first_index, stale.generation), 0u);
  EXPECT_FALSE(table->IsCurrent(stale.first_index, stale.generation));
  EXPECT_TRUE(table->IsCurrent(lease.first_index, lease.generation));
  EXPECT_EQ(table->LeasedCount(), 2u);
}

TEST(LeaseTable, RejectsWhatIsNotALease) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease lease = MustAcquire(table.get(), 4);
  EXPECT_EQ(table->Release({}).code(), Code::kInvalidState);
  EXPECT_EQ(table->Release({.first_index = 0, .buffer_count = 4, .generation = 0}).code(),
            Code::kInvalidState);
  EXPECT_EQ(table->Release({.first_index = 1, .buffer_count = 3, .generation = 1}).code(),
            Code::kInvalidState);
  EXPECT_EQ(table->Release({.first_index = 8, .buffer_count = 1, .generation = 1}).code(),
            Code::kInvalidState);
  EXPECT_EQ(table->Release({.first_index = UINT32_MAX, .buffer_count = 1, .generation = 1}).code(),
            Code::kInvalidState);
  EXPECT_EQ(table->Hold(1, 1), 0u);
  EXPECT_EQ(table->Hold(5, 0), 0u);
  EXPECT_EQ(table->Hold(8, 1), 0u);
  EXPECT_FALSE(table->IsCurrent(8, 1));
  EXPECT_FALSE(table->IsCurrent(5, 0));
  EXPECT_EQ(table->LeasedCount(), 4u);
  EXPECT_TRUE(table->Release(lease).ok());
}

TEST(LeaseTable, RejectsReleaseWithAnotherBufferCount) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(8);
  const Lease lease = MustAcquire(table.get(), 4);
  for (const uint32_t count : {0u, 3u, 5u, UINT32_MAX}) {
    const Status status = table->Release({.buffer_count = count, .generation = lease.generation});
    EXPECT_EQ(status.code(), Code::kInvalidState) << count;
    EXPECT_NE(std::string(status.message()).find("buffer_count"), std::string::npos)
        << status.message();
  }
  EXPECT_EQ(table->LeasedCount(), 4u);
  EXPECT_TRUE(table->Release(lease).ok());
}

TEST(LeaseTable, KeepsAReleasedLeaseUntilItsLastHoldIsDropped) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4);
  const Lease lease = MustAcquire(table.get(), 4);
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 4u);
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 4u);
  EXPECT_EQ(table->HeldCount(), 0u) << "held means released but still leased";
  ASSERT_TRUE(table->Release(lease).ok());
  EXPECT_EQ(table->HeldCount(), 4u);
  EXPECT_EQ(table->LeasedCount(), 4u);
  Lease next;
  EXPECT_EQ(table->Acquire(1, &next).code(), Code::kExhausted);
  table->Unhold(lease.first_index);
  EXPECT_EQ(table->Acquire(1, &next).code(), Code::kExhausted);
  table->Unhold(lease.first_index);
  EXPECT_EQ(table->HeldCount(), 0u);
  EXPECT_TRUE(table->Acquire(1, &next).ok());
}

TEST(LeaseTable, KeepsALeaseWhoseLastHoldIsDroppedBeforeItsRelease) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4);
  const Lease lease = MustAcquire(table.get(), 4);
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 4u);
  table->Unhold(lease.first_index);
  EXPECT_EQ(table->LeasedCount(), 4u);
  EXPECT_TRUE(table->Release(lease).ok());
  EXPECT_EQ(table->LeasedCount(), 0u);
}

TEST(LeaseTable, RejectsHoldAndReleaseOfAReleasedLease) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(4);
  const Lease lease = MustAcquire(table.get(), 1);
  ASSERT_EQ(table->Hold(lease.first_index, lease.generation), 1u);
  ASSERT_TRUE(table->Release(lease).ok());
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 0u);
  EXPECT_EQ(table->Release(lease).code(), Code::kInvalidState);
  EXPECT_FALSE(table->IsCurrent(lease.first_index, lease.generation));
  table->Unhold(lease.first_index);
  EXPECT_EQ(table->LeasedCount(), 0u);
}

TEST(LeaseTable, AcceptsHoldsUpToTheMaximum) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(1);
  const Lease lease = MustAcquire(table.get(), 1);
  for (uint32_t i = 0; i < LeaseTable::kHoldCountMax; ++i) {
    ASSERT_EQ(table->Hold(lease.first_index, lease.generation), 1u) << i;
  }
  EXPECT_EQ(table->Hold(lease.first_index, lease.generation), 0u);
  EXPECT_TRUE(table->Release(lease).ok());
  for (uint32_t i = 0; i < LeaseTable::kHoldCountMax; ++i) {
    ASSERT_EQ(table->LeasedCount(), 1u) << i;
    table->Unhold(lease.first_index);
  }
  EXPECT_EQ(table->LeasedCount(), 0u);
  EXPECT_EQ(MustAcquire(table.get(), 1).generation, lease.generation + 1);
}

TEST(LeaseTable, SkipsGenerationZeroWhenGenerationsWrap) {
  const std::unique_ptr<LeaseTable> table = LeaseTable::Create(2);
  LeaseTablePeer::SetGeneration(table.get(), 0, UINT32_MAX - 1);
  const Lease last = MustAcquire(table.get(), 1);
  EXPECT_EQ(last.generation, UINT32_MAX);
  EXPECT_EQ(table->Hold(0, UINT32_MAX), 1u);
  table->Unhold(0);
  ASSERT_TRUE(table->Release(last).ok());
  EXPECT_EQ(MustAcquire(table.get(), 1).generation, 1u);
  EXPECT_EQ(table->Release(last).code(), Code::kInvalidState);
}

// The simplest implementation of a LeaseTable for one thread.
class Model {
 public:
  struct Record {
    Lease lease;
    uint32_t holds = 0;
    bool released = false;
  };

  explicit Model(uint32_t buffer_count) : taken_(buffer_count) {}

  std::vector<Record> records;  // current and held leases

  int64_t LowestFree(uint32_t count) const {
    uint32_t length = 0;
    for (uint32_t index = 0; index < taken_.size(); ++index) {
      length = taken_[index] ? 0 : length + 1;
      if (length == count) return index + 1 - count;
    }
    return -1;
  }
  void Add(const Lease& lease) {
    Mark(lease, true);
    records.push_back({lease});
  }
  void FreeIfDone(size_t position) {
    if (!records[position].released || records[position].holds > 0) return;
    Mark(records[position].lease, false);
    stale.push_back(records[position].lease);
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(position));
  }
  uint32_t LeasedCount() const {
    return static_cast<uint32_t>(std::count(taken_.begin(), taken_.end(), true));
  }
  uint32_t HeldCount() const {
    uint32_t count = 0;
    for (const Record& record : records) count += record.released ? record.lease.buffer_count : 0;
    return count;
  }

  std::vector<Lease> stale;

 private:
  void Mark(const Lease& lease, bool taken) {
    for (uint32_t i = 0; i < lease.buffer_count; ++i) taken_[lease.first_index + i] = taken;
  }

  std::vector<bool> taken_;
};

class LeaseTableOfSize : public ::testing::TestWithParam<uint32_t> {
 protected:
  void Acquire() {
    const uint32_t count =
        1 + (random_.Below(2) == 0 ? random_.Below(std::min(GetParam(), 90u)) : 0);
    const int64_t first = model_.LowestFree(count);
    Lease lease;
    const Status status = table_->Acquire(count, &lease);
    ASSERT_EQ(status.ok(), first >= 0) << status.message();
    if (!status.ok()) {
      ASSERT_EQ(status.code(), Code::kExhausted);
      return;
    }
    ASSERT_EQ(lease.first_index, first);
    ASSERT_EQ(lease.buffer_count, count);
    ASSERT_TRUE(generations_.emplace(lease.first_index, lease.generation).second)
        << "a generation was reused";
    model_.Add(lease);
  }
  void Release(size_t position) {
    Model::Record& record = model_.records[position];
    const Status status = table_->Release(record.lease);
    ASSERT_EQ(status.ok(), !record.released);
    record.released = true;
    model_.FreeIfDone(position);
  }
  void Hold(size_t position) {
    Model::Record& record = model_.records[position];
    const uint32_t count = table_->Hold(record.lease.first_index, record.lease.generation);
    ASSERT_EQ(count, record.released ? 0 : record.lease.buffer_count);
    if (count > 0) ++record.holds;
  }
  void Unhold(size_t position) {
    Model::Record& record = model_.records[position];
    if (record.holds == 0) return;
    table_->Unhold(record.lease.first_index);
    --record.holds;
    model_.FreeIfDone(position);
  }
  void UseStale() {
    if (model_.stale.empty()) return;
    const Lease& lease = model_.stale[random_.Below(static_cast<uint32_t>(model_.stale.size()))];
    ASSERT_EQ(table_->Release(lease).code(), Code::kInvalidState);
    ASSERT_EQ(table_->Hold(lease.first_index, lease.generation), 0u);
    ASSERT_FALSE(table_->IsCurrent(lease.first_index, lease.generation));
  }
  void Step() {
    const uint32_t size = static_cast<uint32_t>(model_.records.size());
    const uint32_t choice = random_.Below(10);
    if (choice < 4 || size == 0) return Acquire();
    if (choice < 6) return Release(random_.Below(size));
    if (choice < 7) return Hold(random_.Below(size));
    if (choice < 9) return Unhold(random_.Below(size));
    UseStale();
  }

  TestRandom random_;
  const std::unique_ptr<LeaseTable> table_ = LeaseTable::Create(GetParam());
  Model model_{GetParam()};
  std::set<std::pair<uint32_t, uint32_t>> generations_;
};

INSTANTIATE_TEST_SUITE_P(Sizes, LeaseTableOfSize, ::testing::Values(1, 5, 64, 200, 3000));

TEST_P(LeaseTableOfSize, MatchesItsModelUnderRandomOperations) {
  for (int turn = 0; turn < 5000; ++turn) {
    ASSERT_NO_FATAL_FAILURE(Step()) << "turn " << turn;
    ASSERT_EQ(table_->LeasedCount(), model_.LeasedCount()) << "turn " << turn;
    ASSERT_EQ(table_->HeldCount(), model_.HeldCount()) << "turn " << turn;
  }
}

}  // namespace
}  // namespace mooring
