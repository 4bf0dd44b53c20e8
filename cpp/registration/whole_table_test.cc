#include "cpp/registration/whole_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/os/pages.h"

namespace mooring {
namespace {

class WholeTableTest : public testing::Test {
 protected:
  WholeTableTest() { engine_.MakeWhole(1024); }

  static iovec RangeOf(uint32_t slot) { return {memory_ + slot * size_t{64}, 64}; }
  int Put(uint32_t slot) {
    const WholeTable::Change change{slot, RangeOf(slot)};
    return table_.Apply({&change, 1}).error;
  }
  int Empty(uint32_t slot) {
    const WholeTable::Change change{slot, {}};
    return table_.Apply({&change, 1}).error;
  }
  bool HasOwn(uint32_t slot) const {
    return slot < engine_.whole.size() && engine_.whole[slot].iov_base == RangeOf(slot).iov_base;
  }

  static inline char memory_[1024];
  FakeEngine engine_;
  WholeTable table_{engine_};
  const uint64_t used_before_ = MemlockLedger::used_bytes();
};

TEST_F(WholeTableTest, SlotsKeepTheirNumbersAndTheTableEndsWithTheLast) {
  for (const uint32_t slot : {0u, 1u, 2u}) ASSERT_EQ(Put(slot), 0);
  ASSERT_EQ(Empty(1), 0);
  ASSERT_EQ(engine_.whole.size(), 3u);
  EXPECT_TRUE(HasOwn(0));
  EXPECT_FALSE(HasOwn(1));
  EXPECT_TRUE(HasOwn(2));
  ASSERT_EQ(Empty(2), 0);
  EXPECT_EQ(engine_.whole.size(), 1u);
  ASSERT_EQ(Put(1), 0);
  EXPECT_TRUE(HasOwn(1));
}

TEST_F(WholeTableTest, ASlotBetweenTwoCostsAPageOfOurs) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Put(3), 0);
  EXPECT_EQ(engine_.whole[1].iov_len, PageBytes());
  EXPECT_EQ(engine_.whole[2].iov_base, engine_.whole[1].iov_base);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_ + 2 * PageBytes());
  ASSERT_EQ(Put(1), 0);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_ + PageBytes());
  ASSERT_EQ(Empty(3), 0);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_);
}

TEST_F(WholeTableTest, TheLastThatGoesLeavesNoTable) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Empty(0), 0);
  EXPECT_TRUE(engine_.whole.empty());
  EXPECT_TRUE(engine_.unregistered);
  EXPECT_EQ(engine_.whole_registrations, 1);
}

TEST_F(WholeTableTest, WhatIsRefusedLeavesTheOldTable) {
  ASSERT_EQ(Put(0), 0);
  engine_.register_answers = {EFAULT};
  const WholeTable::Change change{1, RangeOf(1)};
  const WholeTable::Applied applied = table_.Apply({&change, 1});
  EXPECT_EQ(applied.error, EFAULT);
  EXPECT_EQ(applied.loss, 0);
  ASSERT_EQ(engine_.whole.size(), 1u);
  EXPECT_TRUE(HasOwn(0));
  ASSERT_EQ(Put(1), 0);
  EXPECT_TRUE(HasOwn(0));
}

TEST_F(WholeTableTest, WhatCannotBePutBackIsLostAndSaysSo) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Put(2), 0);
  engine_.register_answers = {EFAULT, ENOMEM};
  const WholeTable::Change change{1, RangeOf(1)};
  const WholeTable::Applied applied = table_.Apply({&change, 1});
  EXPECT_EQ(applied.error, EFAULT);
  EXPECT_EQ(applied.loss, ENOMEM);
  EXPECT_TRUE(engine_.whole.empty());
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_);
  ASSERT_EQ(Put(0), 0);
  EXPECT_EQ(engine_.whole.size(), 1u) << "it begins anew, empty";
}

TEST_F(WholeTableTest, ATableThatCannotBeTakenAwayStays) {
  ASSERT_EQ(Put(0), 0);
  engine_.refuse_unregister_with = EPERM;
  EXPECT_EQ(Put(1), EPERM);
  EXPECT_EQ(engine_.whole.size(), 1u);
  engine_.refuse_unregister_with = 0;
  EXPECT_EQ(Put(1), 0);
  EXPECT_EQ(engine_.whole.size(), 2u);
}

}  // namespace
}  // namespace mooring
