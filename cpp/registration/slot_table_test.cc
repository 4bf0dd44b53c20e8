#include "cpp/registration/slot_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

namespace mooring {
namespace {

// A model of SlotTable: one flag for each slot.
class Model {
 public:
  explicit Model(uint32_t slot_count) : taken_(slot_count) {}

  std::optional<uint32_t> Acquire(uint32_t count) {
    if (count == 0) return std::nullopt;
    for (uint32_t first = 0; first + uint64_t{count} <= taken_.size(); ++first) {
      if (std::find(At(first), At(first + count), true) != At(first + count)) continue;
      std::fill(At(first), At(first + count), true);
      return first;
    }
    return std::nullopt;
  }
  bool Release(uint32_t first, uint32_t count) {
    if (count == 0 || first + uint64_t{count} > taken_.size()) return false;
    if (std::find(At(first), At(first + count), false) != At(first + count)) return false;
    std::fill(At(first), At(first + count), false);
    return true;
  }
  bool IsTaken(uint32_t slot) const { return slot < taken_.size() && taken_[slot]; }
  uint32_t taken_count() const {
    return static_cast<uint32_t>(std::count(taken_.begin(), taken_.end(), true));
  }

 private:
  std::vector<bool>::iterator At(uint32_t slot) { return taken_.begin() + slot; }

  std::vector<bool> taken_;
};

// MOORING_SEED, if it is set, so that a failure can be reproduced.
uint64_t Seed() {
  const char* given = std::getenv("MOORING_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : uint64_t{std::random_device{}()};
  std::printf("MOORING_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

class SlotTableOfSize : public ::testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Sizes, SlotTableOfSize,
                         ::testing::Values(0, 1, 63, 64, 65, 127, 128, 129, 4096, 4097, 16384));

TEST_P(SlotTableOfSize, AcquiresEverySlotOnceInAscendingOrder) {
  SlotTable table(GetParam());
  for (uint32_t slot = 0; slot < GetParam(); ++slot) {
    ASSERT_FALSE(table.IsTaken(slot));
    ASSERT_EQ(table.Acquire(1), slot);
    ASSERT_TRUE(table.IsTaken(slot));
  }
  EXPECT_EQ(table.Acquire(1), std::nullopt);
  EXPECT_EQ(table.taken_count(), GetParam());
}

TEST_P(SlotTableOfSize, AcquiresAllSlotsAsOneRangeAndNoMore) {
  SlotTable table(GetParam());
  EXPECT_EQ(table.Acquire(GetParam() + 1), std::nullopt);
  EXPECT_EQ(table.taken_count(), 0u);
  if (GetParam() == 0) return;
  EXPECT_EQ(table.Acquire(GetParam()), 0u);
  EXPECT_EQ(table.taken_count(), GetParam());
  EXPECT_TRUE(table.Release(0, GetParam()));
  EXPECT_EQ(table.taken_count(), 0u);
  EXPECT_EQ(table.Acquire(GetParam()), 0u);
}

TEST_P(SlotTableOfSize, FindsTheOneFreeSlotWhereverItIs) {
  if (GetParam() == 0) return;
  SlotTable table(GetParam());
  ASSERT_EQ(table.Acquire(GetParam()), 0u);
  std::mt19937_64 random(1);
  for (int turn = 0; turn < 500; ++turn) {
    const uint32_t slot = static_cast<uint32_t>(random() % GetParam());
    ASSERT_TRUE(table.Release(slot, 1));
    ASSERT_EQ(table.Acquire(2), std::nullopt);
    ASSERT_EQ(table.Acquire(1), slot);
    ASSERT_EQ(table.Acquire(1), std::nullopt);
  }
}

TEST_P(SlotTableOfSize, AgreesWithAListOfFlagsUnderRandomOperations) {
  std::mt19937_64 random(Seed());
  SlotTable table(GetParam());
  Model model(GetParam());
  const uint32_t longest = std::min(GetParam() + 2, 300u);
  const int turns = GetParam() > 4000 ? 800 : 5000;
  for (int turn = 0; turn < turns; ++turn) {
    const uint32_t count = random() % 4 == 0 ? static_cast<uint32_t>(random() % (longest + 1))
                                             : static_cast<uint32_t>(random() % 4);
    if (random() % 2 == 0) {
      ASSERT_EQ(table.Acquire(count), model.Acquire(count))
          << "turn " << turn << ", count " << count;
    } else {
      const uint32_t first = static_cast<uint32_t>(random() % (GetParam() + 2));
      ASSERT_EQ(table.Release(first, count), model.Release(first, count))
          << "turn " << turn << ", range " << first << " + " << count;
    }
    const uint32_t slot = static_cast<uint32_t>(random() % (GetParam() + 2));
    ASSERT_EQ(table.IsTaken(slot), model.IsTaken(slot)) << "turn " << turn << ", slot " << slot;
    if (turn % 16 != 0) continue;  // the model counts by looking at every slot
    ASSERT_EQ(table.taken_count(), model.taken_count()) << "turn " << turn;
  }
}

TEST(SlotTable, RefusesToReleaseAFreeSlot) {
  SlotTable table(128);
  ASSERT_EQ(table.Acquire(70), 0u);
  EXPECT_TRUE(table.Release(3, 2));
  EXPECT_FALSE(table.Release(3, 2));
  EXPECT_FALSE(table.Release(70, 1));
}

TEST(SlotTable, ChangesNothingWhenOneSlotOfAReleasedRangeIsFree) {
  SlotTable table(128);
  ASSERT_EQ(table.Acquire(70), 0u);
  EXPECT_FALSE(table.Release(60, 11));
  EXPECT_TRUE(table.IsTaken(60));
  EXPECT_TRUE(table.IsTaken(69));
  EXPECT_EQ(table.taken_count(), 70u);
}

TEST(SlotTable, RefusesToReleaseAnEmptyRangeAndSlotsPastTheEnd) {
  SlotTable table(65);
  ASSERT_EQ(table.Acquire(65), 0u);
  EXPECT_FALSE(table.Release(0, 0));
  EXPECT_FALSE(table.Release(65, 1));
  EXPECT_FALSE(table.Release(64, 2));
  EXPECT_FALSE(table.Release(64, UINT32_MAX));
  EXPECT_FALSE(table.Release(UINT32_MAX, 2));
  EXPECT_EQ(table.taken_count(), 65u);
  EXPECT_FALSE(table.IsTaken(65));
}

TEST(SlotTable, AcquiresNoEmptyRange) {
  SlotTable table(8);
  EXPECT_EQ(table.Acquire(0), std::nullopt);
}

TEST(SlotTable, TakesTheLowestGapThatFits) {
  SlotTable table(256);
  ASSERT_EQ(table.Acquire(256), 0u);
  ASSERT_TRUE(table.Release(10, 3));
  ASSERT_TRUE(table.Release(60, 10));    // over the boundary of two words
  ASSERT_TRUE(table.Release(100, 100));  // more than one word
  EXPECT_EQ(table.Acquire(11), 100u);
  EXPECT_EQ(table.Acquire(4), 60u);
  EXPECT_EQ(table.Acquire(3), 10u);
  EXPECT_EQ(table.Acquire(6), 64u);
  EXPECT_EQ(table.Acquire(89), 111u);
  EXPECT_EQ(table.Acquire(1), std::nullopt);
}

TEST(SlotTable, FindsNoRangeInATableWhereEverySecondSlotIsTaken) {
  SlotTable table(SlotTable::kSlotCountMax);
  ASSERT_EQ(table.Acquire(SlotTable::kSlotCountMax), 0u);
  for (uint32_t slot = 0; slot < SlotTable::kSlotCountMax; slot += 2)
    ASSERT_TRUE(table.Release(slot, 1));
  EXPECT_EQ(table.Acquire(2), std::nullopt);
  EXPECT_EQ(table.Acquire(65), std::nullopt);
  ASSERT_TRUE(table.Release(9001, 1));
  EXPECT_EQ(table.Acquire(2), 9000u);
}

}  // namespace
}  // namespace mooring
