// Registrations that lack memlock, and the calls that promote them.

#include "cpp/registration/registration_registry.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/registration/registration.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kCount = 16;
constexpr uint64_t kAll = kBuffer * kCount;

// The limit has room for one slab: the first ring has it, and the second lacks it.
class RegistrationRegistryTest : public testing::Test {
 protected:
  RegistrationRegistryTest() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(kAll, before_.rlim_max);
    setrlimit(RLIMIT_MEMLOCK, &limit);
    for (size_t i = 0; i < engines_.size(); ++i) tables_[i] = MakeRef<BufferTable>(&engines_[i]);
    first_ = Register(0, slabs_[0]);
    engines_[1].budget_bytes = 0;
    waiting_ = Register(1, slabs_[1]);
    EXPECT_EQ(waiting_->Report().outcome, Outcome::kCopy);
  }
  ~RegistrationRegistryTest() override {
    for (const RefPtr<BufferTable>& table : tables_) table->Detach();
    setrlimit(RLIMIT_MEMLOCK, &before_);
  }

  static RefPtr<Slab> MakeSlab() {
    return Slab::Create({.buffer_bytes = kBuffer,
                         .buffer_count = kCount,
                         .huge_pages = HugePages::kNever,
                         .touch = Touch::kNone})
        .value();
  }
  RefPtr<Registration> Register(size_t ring, const RefPtr<Slab>& slab,
                                const RegistrationOptions& options = {}) {
    Result<RefPtr<Registration>> registration = Registration::Create(tables_[ring], slab, options);
    EXPECT_TRUE(registration.ok()) << registration.status().message();
    return std::move(registration).value();
  }
  // Destroys the first registration. The kernel has its budget again.
  void ReleaseFirst() {
    first_.reset();
    engines_[1].budget_bytes = kAll;
  }

  rlimit before_;
  std::array<RefPtr<Slab>, 2> slabs_{MakeSlab(), MakeSlab()};
  std::array<FakeEngine, 2> engines_;
  std::array<RefPtr<BufferTable>, 2> tables_;
  RefPtr<Registration> first_;
  RefPtr<Registration> waiting_;
};

TEST_F(RegistrationRegistryTest, ALackingRegistrationIsPinnedOnceThereIsRoom) {
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(waiting_->Report().reason, Reason::kNone);
  EXPECT_GE(waiting_->SlotFor(0, kAll), 0);
}

TEST_F(RegistrationRegistryTest, NothingIsTriedThatTheLedgerHasNoRoomFor) {
  const int updates = engines_[1].updates;
  MemlockLedger::Charge(1);
  MemlockLedger::Release(1);
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(engines_[1].updates, updates);
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kCopy);
}

TEST_F(RegistrationRegistryTest, APartThatFitsIsPinned) {
  MemlockLedger::Charge(6 * kBuffer);
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kPartial);
  EXPECT_EQ(waiting_->Report().bytes_fixed, 10 * kBuffer);
  const int32_t slot = waiting_->SlotFor(0, kBuffer);
  MemlockLedger::Release(6 * kBuffer);
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(waiting_->SlotFor(0, kBuffer), slot) << "the pinned part must not change";
}

TEST_F(RegistrationRegistryTest, BudgetThatIsReturnedLateIsUsedByTheNextCall) {
  ReleaseFirst();
  engines_[1].fail_next = 1;
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kCopy);
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
}

TEST_F(RegistrationRegistryTest, TheOwnerPromotesAtItsNextCall) {
  engines_[1].is_owner = false;
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kCopy);
  EXPECT_TRUE(tables_[1]->has_deferred());
  engines_[1].is_owner = true;
  tables_[1]->RunDeferred();
  ASSERT_TRUE(tables_[1]->ConsumePromotionRequest());
  EXPECT_FALSE(tables_[1]->ConsumePromotionRequest());
  RegistrationRegistry::PromoteForOwner(*tables_[1]);
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
  EXPECT_FALSE(tables_[1]->has_deferred());
}

TEST_F(RegistrationRegistryTest, PromoteOnAnotherThreadIsLeftToTheOwnerForEveryReason) {
  ReleaseFirst();
  engines_[1].refuse_with = EFAULT;
  waiting_ = Register(1, slabs_[1]);
  ASSERT_EQ(waiting_->Report().reason, Reason::kBackingRefused);
  engines_[1].is_owner = false;
  ASSERT_TRUE(waiting_->Promote().ok());
  engines_[1].is_owner = true;
  engines_[1].refuse_with = 0;
  tables_[1]->RunDeferred();
  ASSERT_TRUE(tables_[1]->ConsumePromotionRequest());
  RegistrationRegistry::PromoteForOwner(*tables_[1]);
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
}

TEST_F(RegistrationRegistryTest, ADestroyedRegistrationIsNotPromoted) {
  const RefPtr<Registration> operation = waiting_;  // in flight
  waiting_->MarkDestroyed();
  waiting_.reset();
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(operation->Report().outcome, Outcome::kCopy);
}

TEST_F(RegistrationRegistryTest, NeitherAClosedRingNorAnotherReasonIsPromoted) {
  RefPtr<Registration> refused;
  engines_[0].refuse_with = EFAULT;
  refused = Register(0, slabs_[1]);
  ASSERT_EQ(refused->Report().reason, Reason::kBackingRefused);
  engines_[0].refuse_with = 0;
  tables_[1]->Close();
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kCopy);
  EXPECT_EQ(refused->Report().outcome, Outcome::kCopy);
}

TEST_F(RegistrationRegistryTest, TheOldestIsPromotedFirst) {
  const RefPtr<Slab> slab = MakeSlab();
  const RefPtr<Registration> younger = Register(1, slab);
  ReleaseFirst();
  RegistrationRegistry::PromoteWaiting();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(younger->Report().outcome, Outcome::kCopy);
}

TEST_F(RegistrationRegistryTest, SubmittersReadTheSlotsWhileAnotherThreadPromotes) {
  first_.reset();
  std::atomic<bool> done{false};
  std::thread submitter([&] {
    int32_t slot = kNoBufferSlot;
    while (!done.load()) {
      const int32_t now = waiting_->SlotFor(15 * kBuffer, kBuffer);
      // A fixed slot never changes.
      EXPECT_TRUE(slot == kNoBufferSlot || now == slot);
      slot = now;
    }
  });
  for (uint64_t buffers = 1; buffers <= kCount; ++buffers) {
    engines_[1].budget_bytes = buffers * kBuffer;
    MemlockLedger::Charge((kCount - buffers) * kBuffer);
    MemlockLedger::Release((kCount - buffers) * kBuffer + 0);
    RegistrationRegistry::PromoteWaiting();
    EXPECT_TRUE(waiting_->Report().bytes_fixed <= kAll);
  }
  EXPECT_TRUE(waiting_->Promote().ok());
  done = true;
  submitter.join();
  EXPECT_EQ(waiting_->Report().outcome, Outcome::kFixed);
}

TEST_F(RegistrationRegistryTest, RegistrationsAreDestroyedWhileOthersArePromoted) {
  first_.reset();
  std::atomic<bool> done{false};
  std::thread promoter([&] {
    while (!done.load()) {
      MemlockLedger::Charge(1);
      MemlockLedger::Release(1);
      RegistrationRegistry::PromoteWaiting();
    }
  });
  waiting_.reset();
  for (int round = 0; round < 200; ++round)
    Register(0, slabs_[0], {.policy = Policy::kPrefer}).reset();
  done = true;
  promoter.join();
  EXPECT_EQ(slabs_[0]->RefCount(), 1u + tables_[0]->awaited_tags());
}

}  // namespace
}  // namespace mooring
