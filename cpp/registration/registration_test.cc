#include "cpp/registration/registration.h"
#include "cpp/base/format.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kCount = 16;

class RegistrationTest : public testing::Test {
 protected:
  RegistrationTest() : table_(MakeRef<BufferTable>(&engine_)) {
    // The ladder reads the limit to distinguish memlock from other lack of memory.
    getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(1 << 20, before_.rlim_max);
    setrlimit(RLIMIT_MEMLOCK, &limit);
    used_before_ = MemlockLedger::used_bytes();
    Result<RefPtr<Slab>> slab = Slab::Create({.buffer_bytes = kBuffer,
                                              .buffer_count = kCount,
                                              .huge_pages = HugePages::kNever,
                                              .touch = Touch::kNone});
    slab_ = std::move(slab).value();
  }
  ~RegistrationTest() override {
    table_->Detach();
    setrlimit(RLIMIT_MEMLOCK, &before_);
  }

  RefPtr<Registration> Register(const RegistrationOptions& options = {}) {
    Result<RefPtr<Registration>> registration = Registration::Create(table_, slab_, options);
    EXPECT_TRUE(registration.ok()) << registration.status().message();
    return std::move(registration).value();
  }
  // Passes the engine's events to the table, as the completion side of a ring does.
  void DeliverTags() {
    Event event;
    while (engine_.Reap({&event, 1}, 0, Deadline()) == 1) table_->OnTag(event.token);
  }
  uint64_t charged() const { return MemlockLedger::used_bytes() - used_before_; }

  rlimit before_;
  uint64_t used_before_ = 0;
  FakeEngine engine_;
  RefPtr<BufferTable> table_;
  RefPtr<Slab> slab_;
};

TEST_F(RegistrationTest, PinsASlabInOneSlot) {
  RefPtr<Registration> registration = Register();
  const RegistrationReport report = registration->Report();
  EXPECT_EQ(report.outcome, Outcome::kFixed);
  EXPECT_EQ(report.reason, Reason::kNone);
  EXPECT_EQ(report.extent_count, 1u);
  EXPECT_EQ(report.bytes_fixed, kBuffer * kCount);
  EXPECT_EQ(report.message, "");
  EXPECT_EQ(engine_.pinned_bytes(), kBuffer * kCount);
  EXPECT_EQ(charged(), kBuffer * kCount);
  EXPECT_GE(registration->SlotFor(0, kBuffer * kCount), 0);
}

TEST_F(RegistrationTest, CutsIntoExtentsAndCrossesNoneOfThem) {
  RefPtr<Registration> registration = Register({.extent_bytes_max = 4 * kBuffer});
  EXPECT_EQ(registration->Report().extent_count, 4u);
  EXPECT_NE(registration->SlotFor(0, kBuffer), registration->SlotFor(4 * kBuffer, kBuffer));
  EXPECT_GE(registration->SlotFor(4 * kBuffer, 4 * kBuffer), 0);
  EXPECT_EQ(registration->SlotFor(3 * kBuffer, 2 * kBuffer), kNoBufferSlot);
  EXPECT_GE(registration->SlotFor(15 * kBuffer, kBuffer), 0);
}

TEST_F(RegistrationTest, KeepsTheLargestPrefixAndReportsWhatIsNeeded) {
  engine_.budget_bytes = 10 * kBuffer;
  rlimit limit = before_;
  limit.rlim_cur = 10 * kBuffer;
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
  RefPtr<Registration> registration = Register();
  const RegistrationReport report = registration->Report();
  EXPECT_EQ(report.outcome, Outcome::kPartial);
  EXPECT_EQ(report.reason, Reason::kMemlockLimit);
  EXPECT_EQ(report.system_error, ENOMEM);
  EXPECT_EQ(report.bytes_fixed, 10 * kBuffer);
  EXPECT_NE(report.remedy.find(FormatBytes(10 * kBuffer)), std::string::npos) << report.remedy;
  EXPECT_NE(report.remedy.find(FormatBytes(16 * kBuffer)), std::string::npos) << report.remedy;
  EXPECT_GE(registration->SlotFor(9 * kBuffer, kBuffer), 0);
  EXPECT_EQ(registration->SlotFor(10 * kBuffer, kBuffer), kNoBufferSlot);
  EXPECT_EQ(registration->SlotFor(9 * kBuffer, 2 * kBuffer), kNoBufferSlot);
}

TEST_F(RegistrationTest, PinsWhatOtherProcessesLeave) {
  // The limit promises 16 buffers, but others of this user hold all but 7.
  engine_.budget_bytes = 7 * kBuffer;
  RefPtr<Registration> registration = Register();
  const RegistrationReport report = registration->Report();
  EXPECT_EQ(report.outcome, Outcome::kPartial);
  EXPECT_GE(report.bytes_fixed, 6 * kBuffer);
  EXPECT_EQ(report.bytes_fixed, engine_.pinned_bytes());
  EXPECT_EQ(report.bytes_fixed, charged());
}

TEST_F(RegistrationTest, TakesTheCopyPathWhenNothingFits) {
  engine_.budget_bytes = 0;
  RefPtr<Registration> registration = Register();
  EXPECT_EQ(registration->Report().outcome, Outcome::kCopy);
  EXPECT_EQ(registration->Report().reason, Reason::kMemlockLimit);
  EXPECT_EQ(registration->SlotFor(0, 1), kNoBufferSlot);
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RegistrationTest, WaitsForBudgetThatThisProcessHasJustReleased) {
  MemlockLedger::Charge(1);
  MemlockLedger::Release(1);
  engine_.fail_next = 3;
  RefPtr<Registration> registration = Register();
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(engine_.updates, 4);
}

TEST_F(RegistrationTest, AnExemptRingReportsLackOfMemoryNotOfMemlock) {
  table_->Detach();
  engine_.mutable_info().memlock_exempt = true;
  table_ = MakeRef<BufferTable>(&engine_);
  engine_.budget_bytes = 0;
  EXPECT_EQ(Register()->Report().reason, Reason::kOutOfMemory);
}

TEST_F(RegistrationTest, WithoutTagsTheSlabIsReleasedWithItsClearedSlot) {
  table_->Detach();
  engine_.mutable_info().features &= ~uint64_t{kFeatureBufferTags};
  table_ = MakeRef<BufferTable>(&engine_);
  const uint32_t references = slab_->RefCount();
  RefPtr<Registration> registration = Register();
  RefPtr<Registration> operation = registration;  // as each operation in flight has
  registration.reset();
  EXPECT_EQ(engine_.pinned_bytes(), kBuffer * kCount) << "an operation may still name the slot";
  EXPECT_GT(slab_->RefCount(), references);
  operation.reset();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  EXPECT_EQ(slab_->RefCount(), references);
  EXPECT_EQ(table_->awaited_tags(), 0u);
  EXPECT_TRUE(engine_.events.empty());
}

TEST_F(RegistrationTest, WithoutTagsASlotThatIsNotClearedKeepsItsSlab) {
  table_->Detach();
  engine_.mutable_info().features &= ~uint64_t{kFeatureBufferTags};
  table_ = MakeRef<BufferTable>(&engine_);
  const uint32_t references = slab_->RefCount();
  RefPtr<Registration> registration = Register();
  engine_.refuse_updates_with = EPERM;
  registration.reset();
  EXPECT_GT(slab_->RefCount(), references);
  table_->Detach();
  EXPECT_EQ(slab_->RefCount(), references);
}

TEST_F(RegistrationTest, ASlotThatWasNotClearedIsClearedWithTheNext) {
  RefPtr<Registration> refused = Register();
  RefPtr<Registration> next = Register();
  engine_.refuse_updates_with = EPERM;
  refused.reset();
  EXPECT_FALSE(table_->has_deferred());
  engine_.refuse_updates_with = 0;
  next.reset();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  DeliverTags();
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(RegistrationTest, ARefusedBackingTakesTheCopyPath) {
  for (const int error : {EOPNOTSUPP, EFAULT, EINVAL}) {
    engine_.refuse_with = error;
    const RegistrationReport report = Register()->Report();
    EXPECT_EQ(report.outcome, Outcome::kCopy);
    EXPECT_EQ(report.reason, Reason::kBackingRefused);
    EXPECT_EQ(report.system_error, error);
    EXPECT_NE(report.remedy, "");
  }
}

TEST_F(RegistrationTest, ADeniedRegisterCallIsItsOwnReason) {
  engine_.refuse_with = EPERM;
  EXPECT_EQ(Register()->Report().reason, Reason::kRegisterDenied);
}

TEST_F(RegistrationTest, AFullTableKeepsTheExtentsThatFoundASlot) {
  table_->Detach();
  engine_.mutable_info().fixed_buffer_count = 2;
  table_ = MakeRef<BufferTable>(&engine_);
  const RegistrationReport report = Register({.extent_bytes_max = 4 * kBuffer})->Report();
  EXPECT_EQ(report.outcome, Outcome::kPartial);
  EXPECT_EQ(report.reason, Reason::kTableFull);
  EXPECT_EQ(report.bytes_fixed, 8 * kBuffer);
  EXPECT_NE(report.remedy.find("fixed_buffer_count"), std::string::npos);
}

TEST_F(RegistrationTest, AnEngineWithoutATableReportsWhy) {
  struct Case {
    EngineKind kind;
    int table_error;
    Reason reason;
  };
  for (const Case& expected : {Case{EngineKind::kThreads, EOPNOTSUPP, Reason::kEngineThreads},
                               Case{EngineKind::kIoUring, EINVAL, Reason::kKernelTooOld},
                               Case{EngineKind::kIoUring, EPERM, Reason::kRegisterDenied},
                               Case{EngineKind::kIoUring, ENOMEM, Reason::kMemlockLimit}}) {
    table_->Detach();
    engine_.mutable_info().kind = expected.kind;
    engine_.mutable_info().fixed_buffer_count = 0;
    engine_.mutable_info().table_error = expected.table_error;
    table_ = MakeRef<BufferTable>(&engine_);
    const RegistrationReport report = Register()->Report();
    EXPECT_EQ(report.outcome, Outcome::kCopy);
    EXPECT_EQ(report.reason, expected.reason) << expected.table_error;
    EXPECT_NE(report.message, "");
    EXPECT_NE(report.remedy, "");
    EXPECT_EQ(engine_.updates, 0);
  }
}

TEST_F(RegistrationTest, NeverPinsNothing) {
  const RegistrationReport report = Register({.policy = Policy::kNever})->Report();
  EXPECT_EQ(report.outcome, Outcome::kCopy);
  EXPECT_EQ(report.reason, Reason::kPolicy);
  EXPECT_EQ(engine_.updates, 0);
}

TEST_F(RegistrationTest, RequireFailsWithTheTextOfPreferAndLeavesNothingPinned) {
  engine_.budget_bytes = 4 * kBuffer;
  const RegistrationReport report = Register()->Report();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  Result<RefPtr<Registration>> required =
      Registration::Create(table_, slab_, {.policy = Policy::kRequire});
  ASSERT_FALSE(required.ok());
  EXPECT_EQ(required.status().code(), Code::kMemlockLimit);
  EXPECT_EQ(required.status().message(), report.message);
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  EXPECT_EQ(charged(), 0u);
  DeliverTags();
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(RegistrationTest, PromotePinsTheRestAndKeepsWhatIsPinned) {
  engine_.budget_bytes = 4 * kBuffer;
  RefPtr<Registration> registration = Register();
  const int32_t slot = registration->SlotFor(0, kBuffer);
  ASSERT_GE(slot, 0);
  engine_.budget_bytes = UINT64_MAX;
  ASSERT_TRUE(registration->Promote().ok());
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(registration->SlotFor(0, kBuffer), slot);
  EXPECT_GE(registration->SlotFor(15 * kBuffer, kBuffer), 0);
  EXPECT_EQ(charged(), kCount * kBuffer);
}

TEST_F(RegistrationTest, Rule1TheSlabStaysUntilTheTagComesBack) {
  engine_.hold_tags = true;
  Register().reset();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  EXPECT_EQ(table_->awaited_tags(), 1u);
  EXPECT_EQ(slab_->RefCount(), 2u);
  engine_.ReleaseTags();
  DeliverTags();
  EXPECT_EQ(table_->awaited_tags(), 0u);
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(RegistrationTest, ASlotIsBusyUntilTheLastOperationEnds) {
  RefPtr<Registration> handle = Register();
  RefPtr<Registration> operation = handle;
  handle.reset();
  EXPECT_GT(engine_.pinned_bytes(), 0u);
  operation.reset();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
}

TEST_F(RegistrationTest, AnotherThreadLeavesTheSlotToTheOwner) {
  RefPtr<Registration> registration = Register();
  engine_.is_owner = false;
  registration.reset();
  EXPECT_GT(engine_.pinned_bytes(), 0u);
  engine_.is_owner = true;
  table_->RunDeferred();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  DeliverTags();
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(RegistrationTest, AnotherThreadMayNotRequireARingThatHasAnOwner) {
  engine_.is_owner = false;
  Result<RefPtr<Registration>> registration =
      Registration::Create(table_, slab_, {.policy = Policy::kRequire});
  ASSERT_FALSE(registration.ok());
  EXPECT_EQ(registration.status().code(), Code::kInvalidState);
  engine_.is_owner = true;
}

TEST_F(RegistrationTest, WhatAnotherThreadRegistersIsPinnedByTheOwner) {
  engine_.is_owner = false;
  RefPtr<Registration> registration = Register();
  EXPECT_EQ(registration->Report().outcome, Outcome::kCopy);
  EXPECT_EQ(registration->Report().reason, Reason::kOwnerThread);
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  engine_.is_owner = true;
  table_->RunDeferred();
  EXPECT_TRUE(table_->ConsumePromotionRequest());
  RegistrationRegistry::PromoteForOwner(*table_);
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
}

TEST_F(RegistrationTest, ADetachedRingUnregistersAndReturnsTheBudget) {
  RefPtr<Registration> registration = Register();
  table_->Detach();
  EXPECT_TRUE(engine_.unregistered);
  EXPECT_EQ(charged(), 0u);
  registration.reset();
  EXPECT_EQ(slab_->RefCount(), 1u);
  EXPECT_FALSE(Registration::Create(table_, slab_, {}).ok());
}

TEST_F(RegistrationTest, AMisalignedExtentIsRefused) {
  Result<RefPtr<Registration>> registration =
      Registration::Create(table_, slab_, {.extent_bytes_max = 1000});
  ASSERT_FALSE(registration.ok());
  EXPECT_EQ(registration.status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace mooring
