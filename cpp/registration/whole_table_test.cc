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
  WholeTableTest() { engine_.DisableUpdates(1024); }

  static iovec RangeOf(uint32_t slot) { return {memory_ + slot * size_t{64}, 64}; }
  int Apply(uint32_t slot, const iovec& range, int* out_loss_error = nullptr) {
    KernelTable::Change change{.slot = slot, .range = range};
    const KernelTable::Applied applied = table_.Apply({&change, 1});
    if (out_loss_error != nullptr) *out_loss_error = applied.loss_error;
    return change.error;
  }
  int Put(uint32_t slot) { return Apply(slot, RangeOf(slot)); }
  int Empty(uint32_t slot) { return Apply(slot, {}); }
  bool HasOwn(uint32_t slot) const {
    return slot < engine_.registered.size() &&
           engine_.registered[slot].iov_base == RangeOf(slot).iov_base;
  }

  static inline char memory_[1024];
  FakeEngine engine_;
  WholeTable table_{engine_};
  const uint64_t used_before_ = MemlockLedger::used_bytes();
};

TEST_F(WholeTableTest, SlotsKeepTheirNumbersAndTheTableEndsWithTheLast) {
  for (const uint32_t slot : {0u, 1u, 2u}) ASSERT_EQ(Put(slot), 0);
  ASSERT_EQ(Empty(1), 0);
  ASSERT_EQ(engine_.registered.size(), 3u);
  EXPECT_TRUE(HasOwn(0));
  EXPECT_FALSE(HasOwn(1));
  EXPECT_TRUE(HasOwn(2));
  ASSERT_EQ(Empty(2), 0);
  EXPECT_EQ(engine_.registered.size(), 1u);
  ASSERT_EQ(Put(1), 0);
  EXPECT_TRUE(HasOwn(1));
}

TEST_F(WholeTableTest, AnEmptySlotBetweenTwoCostsAPage) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Put(3), 0);
  EXPECT_EQ(engine_.registered[1].iov_len, PageBytes());
  EXPECT_EQ(engine_.registered[2].iov_base, engine_.registered[1].iov_base);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_ + 2 * PageBytes());
  ASSERT_EQ(Put(1), 0);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_ + PageBytes());
  ASSERT_EQ(Empty(3), 0);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_);
}

TEST_F(WholeTableTest, EmptyingTheLastSlotLeavesNoTable) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Empty(0), 0);
  EXPECT_TRUE(engine_.registered.empty());
  EXPECT_TRUE(engine_.unregistered);
  EXPECT_EQ(engine_.register_count, 1);
}

TEST_F(WholeTableTest, ARefusedChangeLeavesTheOldTable) {
  ASSERT_EQ(Put(0), 0);
  engine_.register_errors = {EFAULT};
  int loss_error = -1;
  EXPECT_EQ(Apply(1, RangeOf(1), &loss_error), EFAULT);
  EXPECT_EQ(loss_error, 0);
  ASSERT_EQ(engine_.registered.size(), 1u);
  EXPECT_TRUE(HasOwn(0));
  ASSERT_EQ(Put(1), 0);
  EXPECT_TRUE(HasOwn(0));
}

TEST_F(WholeTableTest, ATableThatCannotBeRegisteredAgainIsReportedAsLost) {
  ASSERT_EQ(Put(0), 0);
  ASSERT_EQ(Put(2), 0);
  engine_.register_errors = {EFAULT, ENOMEM};
  int loss_error = 0;
  EXPECT_EQ(Apply(1, RangeOf(1), &loss_error), EFAULT);
  EXPECT_EQ(loss_error, ENOMEM);
  EXPECT_TRUE(engine_.registered.empty());
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before_);
  ASSERT_EQ(Put(0), 0);
  EXPECT_EQ(engine_.registered.size(), 1u) << "it begins empty";
}

TEST_F(WholeTableTest, ATableThatCannotBeUnregisteredStays) {
  ASSERT_EQ(Put(0), 0);
  engine_.refuse_unregister_with = EPERM;
  EXPECT_EQ(Put(1), EPERM);
  EXPECT_EQ(engine_.registered.size(), 1u);
  engine_.refuse_unregister_with = 0;
  EXPECT_EQ(Put(1), 0);
  EXPECT_EQ(engine_.registered.size(), 2u);
}

}  // namespace
}  // namespace mooring
