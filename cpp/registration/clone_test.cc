// A slab on several rings of a process: pinned and charged once, released by each ring separately.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/registration/registration.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kCount = 16;
constexpr uint64_t kAll = kBuffer * kCount;

class CloneTest : public testing::Test {
 protected:
  CloneTest() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    SetLimit(kAll);
    used_before_ = MemlockLedger::used_bytes();
    for (size_t i = 0; i < engines_.size(); ++i) tables_[i] = MakeRef<BufferTable>(&engines_[i]);
    slab_ = Slab::Create({.buffer_bytes = kBuffer,
                          .buffer_count = kCount,
                          .huge_pages = HugePages::kNever,
                          .touch = Touch::kNone})
                .value();
  }
  ~CloneTest() override {
    for (const RefPtr<BufferTable>& table : tables_) table->Detach();
    setrlimit(RLIMIT_MEMLOCK, &before_);
  }

  void SetLimit(uint64_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(bytes, before_.rlim_max);
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
  }
  RefPtr<Registration> Register(size_t ring, const RegistrationOptions& options = {}) {
    Result<RefPtr<Registration>> registration = Registration::Create(tables_[ring], slab_, options);
    EXPECT_TRUE(registration.ok()) << registration.status().message();
    return std::move(registration).value();
  }
  void DeliverTags(size_t ring) {
    Event event;
    while (engines_[ring].Reap({&event, 1}, 0, Deadline()) == 1) tables_[ring]->OnTag(event.token);
  }
  uint64_t charged() const { return MemlockLedger::used_bytes() - used_before_; }

  rlimit before_;
  uint64_t used_before_ = 0;
  std::array<FakeEngine, 3> engines_;
  std::array<RefPtr<BufferTable>, 3> tables_;
  RefPtr<Slab> slab_;
};

TEST_F(CloneTest, ASecondRingClonesWhatTheFirstHasPinned) {
  RefPtr<Registration> first = Register(0);
  EXPECT_EQ(first->Report().bytes_cloned, 0u);
  RefPtr<Registration> second = Register(1, {.policy = Policy::kRequire});
  const RegistrationReport report = second->Report();
  EXPECT_EQ(report.outcome, Outcome::kFixed);
  EXPECT_EQ(report.bytes_fixed, kAll);
  EXPECT_EQ(report.bytes_cloned, kAll);
  EXPECT_EQ(engines_[1].updates, 0);
  EXPECT_GE(second->SlotFor(0, kAll), 0);
  EXPECT_EQ(charged(), kAll);
  Extent extent;
  ASSERT_TRUE(second->ExtentAt(0, &extent));
  EXPECT_TRUE(extent.is_clone);
}

TEST_F(CloneTest, EveryExtentIsClonedSeparately) {
  RefPtr<Registration> first = Register(0, {.extent_bytes_max = 4 * kBuffer});
  RefPtr<Registration> second = Register(1, {.extent_bytes_max = 4 * kBuffer});
  EXPECT_EQ(engines_[1].clones, 4);
  EXPECT_EQ(second->Report().bytes_cloned, kAll);
  EXPECT_EQ(charged(), kAll);
}

TEST_F(CloneTest, TheChargeStaysUntilTheLastRingUnpins) {
  RefPtr<Registration> first = Register(0);
  RefPtr<Registration> second = Register(1);
  RefPtr<Registration> third = Register(2);
  first.reset();
  EXPECT_EQ(charged(), kAll);
  tables_[1]->Detach();
  EXPECT_EQ(charged(), kAll);
  third.reset();
  EXPECT_EQ(charged(), 0u);
}

TEST_F(CloneTest, ACloneIsTheSourceOfTheNextAfterTheFirstIsUnpinned) {
  RefPtr<Registration> first = Register(0);
  RefPtr<Registration> second = Register(1);
  tables_[0]->Detach();
  RefPtr<Registration> third = Register(2);
  EXPECT_EQ(third->Report().bytes_cloned, kAll);
  EXPECT_EQ(charged(), kAll);
}

// The kernel posts no tag for a clone, so the slab must not wait for one. Nor may the tag of the
// ring that pinned the slab release the reference of the clone.
TEST_F(CloneTest, Rule1EachRingKeepsTheSlabForItself) {
  engines_[0].hold_tags = true;
  engines_[1].hold_tags = true;
  RefPtr<Registration> first = Register(0);
  RefPtr<Registration> second = Register(1);
  EXPECT_EQ(slab_->RefCount(), 5u);  // two registrations, two slots, and the test
  first.reset();
  EXPECT_EQ(tables_[0]->awaited_tags(), 1u);
  engines_[0].ReleaseTags();
  DeliverTags(0);
  EXPECT_EQ(slab_->RefCount(), 3u);
  EXPECT_EQ(engines_[1].slots.size(), 1u);
  second.reset();
  EXPECT_EQ(tables_[1]->awaited_tags(), 0u);
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(CloneTest, ARefusedCloneIsPinnedAndChargedAgain) {
  RefPtr<Registration> first = Register(0);
  SetLimit(2 * kAll);
  for (const int error : {EINVAL, EEXIST, EOPNOTSUPP, ENOMEM}) {
    engines_[1].refuse_clones_with = error;
    RefPtr<Registration> second = Register(1);
    EXPECT_EQ(second->Report().outcome, Outcome::kFixed) << error;
    EXPECT_EQ(second->Report().bytes_cloned, 0u) << error;
    EXPECT_EQ(engines_[1].pinned_bytes(), kAll);
    EXPECT_EQ(charged(), 2 * kAll);
  }
}

TEST_F(CloneTest, ARingThatRefusesToBeClonedIsSkipped) {
  engines_[0].refuse_being_cloned_with = EEXIST;  // its owner is another thread
  RefPtr<Registration> first = Register(0);
  RefPtr<Registration> second = Register(1);
  EXPECT_EQ(second->Report().bytes_cloned, 0u);
  RefPtr<Registration> third = Register(2);
  EXPECT_EQ(third->Report().bytes_cloned, kAll);
}

TEST_F(CloneTest, TheSameRingPinsAgain) {
  SetLimit(2 * kAll);
  RefPtr<Registration> first = Register(0);
  RefPtr<Registration> again = Register(0);
  EXPECT_EQ(again->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(again->Report().bytes_cloned, 0u);
  EXPECT_EQ(charged(), 2 * kAll);
}

TEST_F(CloneTest, ExtentsOfAnotherSizeAreNotCloned) {
  RefPtr<Registration> first = Register(0, {.extent_bytes_max = 4 * kBuffer});
  RefPtr<Registration> second = Register(1, {.extent_bytes_max = 8 * kBuffer});
  EXPECT_EQ(second->Report().bytes_cloned, 0u);
  EXPECT_EQ(second->Report().extent_count, 2u);
}

TEST_F(CloneTest, APartiallyPinnedSlabIsClonedAsFarAsItIsPinned) {
  SetLimit(10 * kBuffer);
  engines_[0].budget_bytes = 10 * kBuffer;
  engines_[1].budget_bytes = 0;
  RefPtr<Registration> first = Register(0);
  ASSERT_EQ(first->Report().bytes_fixed, 10 * kBuffer);
  RefPtr<Registration> second = Register(1);
  const RegistrationReport report = second->Report();
  EXPECT_EQ(report.outcome, Outcome::kPartial);
  EXPECT_EQ(report.reason, Reason::kMemlockLimit);
  EXPECT_EQ(report.bytes_fixed, 10 * kBuffer);
  EXPECT_EQ(report.bytes_cloned, 10 * kBuffer);
  EXPECT_EQ(report.extent_count, 2u);
  EXPECT_EQ(second->SlotFor(10 * kBuffer, kBuffer), kNoBufferSlot);
  EXPECT_EQ(charged(), 10 * kBuffer);
}

TEST_F(CloneTest, AnotherSlabIsNotCloned) {
  RefPtr<Registration> first = Register(0);
  SetLimit(2 * kAll);
  slab_ = Slab::Create({.buffer_bytes = kBuffer, .buffer_count = kCount, .touch = Touch::kNone})
              .value();
  EXPECT_EQ(Register(1)->Report().bytes_cloned, 0u);
}

TEST_F(CloneTest, AFullTableHasNoSlotForAClone) {
  RefPtr<Registration> first = Register(0);
  tables_[1]->Detach();
  engines_[1].mutable_info().fixed_buffer_count = 1;
  tables_[1] = MakeRef<BufferTable>(&engines_[1]);
  RefPtr<Registration> second = Register(1);
  RefPtr<Registration> again = Register(1);
  EXPECT_EQ(again->Report().outcome, Outcome::kCopy);
  EXPECT_EQ(again->Report().reason, Reason::kTableFull);
}

}  // namespace
}  // namespace mooring
