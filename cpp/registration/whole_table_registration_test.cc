// Registrations on a ring whose table can only be registered whole: it refuses changes while the
// ring is not quiet, and it may lose pins.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/registration/registration.h"
#include "cpp/registration/registration_registry.h"
#include "cpp/registration/report.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kCount = 4;
constexpr uint64_t kAll = kBuffer * kCount;

// A ring that is quiet when the test sets it.
class FakeQuiescer final : public RingQuiescer {
 public:
  bool TryQuiesce() override {
    depth += quiet;
    return quiet;
  }
  void Resume() override { --depth; }
  void RequestQuiet() override { ++requests; }
  void InvalidateLostPins() override { RegistrationRegistry::InvalidateLostPins(*table); }

  bool quiet = true;
  int depth = 0;
  int requests = 0;
  const BufferTable* table = nullptr;
};

class WholeTableRegistrationTest : public testing::Test {
 protected:
  WholeTableRegistrationTest() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(4 << 20, before_.rlim_max);
    setrlimit(RLIMIT_MEMLOCK, &limit);
    engine_.DisableUpdates(8);
    table_ = MakeRef<BufferTable>(&engine_, &quiescer_);
    quiescer_.table = table_.get();
    for (RefPtr<Slab>& slab : slabs_) {
      slab = Slab::Create({.buffer_bytes = kBuffer,
                           .buffer_count = kCount,
                           .huge_pages = HugePages::kNever,
                           .touch = Touch::kNone})
                 .value();
    }
  }
  ~WholeTableRegistrationTest() override {
    EXPECT_EQ(quiescer_.depth, 0);
    table_->Detach();
    setrlimit(RLIMIT_MEMLOCK, &before_);
  }

  RefPtr<Registration> Register(size_t slab, const RegistrationOptions& options = {}) {
    Result<RefPtr<Registration>> registration = Registration::Create(table_, slabs_[slab], options);
    EXPECT_TRUE(registration.ok()) << registration.status().message();
    return std::move(registration).value();
  }
  // As a call on a ring that finds it quiet.
  void RunWhenQuiet() {
    quiescer_.quiet = true;
    table_->RunDeferred();
    if (table_->ConsumePromotionRequest()) RegistrationRegistry::PromoteForOwner(*table_);
  }
  static int32_t SlotOf(const RefPtr<Registration>& registration) {
    return registration->SlotFor(0, kAll);
  }

  rlimit before_;
  FakeEngine engine_;
  FakeQuiescer quiescer_;
  RefPtr<BufferTable> table_;
  std::array<RefPtr<Slab>, 3> slabs_;
};

TEST_F(WholeTableRegistrationTest, PinsASlabWithoutUpdates) {
  const RefPtr<Registration> registration = Register(0);
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(SlotOf(registration), 0);
  EXPECT_EQ(engine_.registered.size(), 1u);
  EXPECT_EQ(engine_.updates, 0);
}

TEST_F(WholeTableRegistrationTest, ABusyRingCopiesUntilItIsQuiet) {
  quiescer_.quiet = false;
  const RefPtr<Registration> registration = Register(0);
  const RegistrationReport report = registration->Report();
  EXPECT_EQ(report.outcome, Outcome::kCopy);
  EXPECT_EQ(report.reason, Reason::kKernelTooOld);
  EXPECT_EQ(report.system_error, EBUSY);
  EXPECT_NE(report.message.find("in flight"), std::string::npos);
  EXPECT_EQ(SlotOf(registration), kNoBufferSlot);
  EXPECT_EQ(engine_.register_count, 0);
  EXPECT_GT(quiescer_.requests, 0);
  RunWhenQuiet();
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(SlotOf(registration), 0);
  EXPECT_FALSE(table_->has_deferred());
}

TEST_F(WholeTableRegistrationTest, RequireFailsOnABusyRingAndMayBeRetried) {
  quiescer_.quiet = false;
  const RegistrationReport report = Register(0)->Report();
  const Status status =
      Registration::Create(table_, slabs_[0], {.policy = Policy::kRequire}).TakeStatus();
  EXPECT_EQ(status.code(), Code::kInvalidState);
  EXPECT_EQ(status.retry(), Retry::kLater);
  EXPECT_EQ(status.system_error(), EBUSY);
  EXPECT_EQ(status.message(), report.message);
}

TEST_F(WholeTableRegistrationTest, ASlabDestroyedOnABusyRingStaysMappedUntilItIsQuiet) {
  const uint32_t references = slabs_[0]->RefCount();
  RefPtr<Registration> registration = Register(0);
  quiescer_.quiet = false;
  registration.reset();
  EXPECT_EQ(slabs_[0]->RefCount(), references + 1);
  EXPECT_EQ(engine_.registered.size(), 1u);
  RunWhenQuiet();
  EXPECT_EQ(slabs_[0]->RefCount(), references);
  EXPECT_TRUE(engine_.registered.empty());
}

TEST_F(WholeTableRegistrationTest, ASlabStaysMappedWhenTheKernelRefusesToUnregister) {
  const uint32_t references = slabs_[0]->RefCount();
  RefPtr<Registration> registration = Register(0);
  engine_.refuse_unregister_with = EPERM;
  registration.reset();
  EXPECT_EQ(slabs_[0]->RefCount(), references + 1);
  engine_.refuse_unregister_with = 0;
  Register(1).reset();  // the next slot that is cleared clears it too
  EXPECT_EQ(slabs_[0]->RefCount(), references);
}

TEST_F(WholeTableRegistrationTest, AFreeSlotIsUsedAgainAndOthersKeepTheirs) {
  std::array<RefPtr<Registration>, 3> registrations = {Register(0), Register(1), Register(2)};
  registrations[1].reset();
  EXPECT_EQ(SlotOf(registrations[0]), 0);
  EXPECT_EQ(SlotOf(registrations[2]), 2);
  registrations[1] = Register(1);
  EXPECT_EQ(SlotOf(registrations[1]), 1);
  EXPECT_EQ(engine_.registered[1].iov_base, slabs_[1]->base());
}

TEST_F(WholeTableRegistrationTest, ManyExtentsAreRegisteredAndClearedInOneCall) {
  RefPtr<Registration> registration = Register(0, {.extent_bytes_max = kBuffer});
  EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(registration->Report().extent_count, kCount);
  EXPECT_EQ(engine_.registered.size(), kCount);
  EXPECT_EQ(engine_.register_count, 1);
  registration.reset();
  EXPECT_TRUE(engine_.registered.empty());
  EXPECT_EQ(engine_.register_count, 1);
}

TEST_F(WholeTableRegistrationTest, ExtentsThatDoNotFitTogetherArePinnedOneByOne) {
  const RefPtr<Registration> all = Register(0, {.extent_bytes_max = kBuffer});
  // All in one call, then one by one. The old table is registered again each time.
  for (uint64_t i = 0; i < 1 + kCount; ++i)
    engine_.register_errors.insert(engine_.register_errors.end(), {EFAULT, 0});
  EXPECT_EQ(Register(1, {.extent_bytes_max = kBuffer})->Report().reason, Reason::kBackingRefused);
  EXPECT_TRUE(engine_.register_errors.empty());
  EXPECT_EQ(engine_.registered.size(), kCount) << "the pinned extents stay pinned";
  const RefPtr<Registration> more = Register(1);
  const RegistrationReport report = Register(2, {.extent_bytes_max = kBuffer})->Report();
  EXPECT_EQ(report.outcome, Outcome::kPartial);
  EXPECT_EQ(report.reason, Reason::kTableFull);
  EXPECT_EQ(report.bytes_fixed, 3 * kBuffer);
}

TEST_F(WholeTableRegistrationTest, AFullTableIsReportedWithTheLargestSizePossible) {
  RegistrationReport report;
  report.reason = Reason::kTableFull;
  Explain(report, 8, table_->traits().slot_count_max, "");
  EXPECT_NE(report.remedy.find("at most 1024"), std::string::npos) << report.remedy;
  Explain(report, 1024, table_->traits().slot_count_max, "");
  EXPECT_EQ(report.remedy.find("fixed_buffer_count"), std::string::npos) << report.remedy;
}

TEST_F(WholeTableRegistrationTest, ARefusedRegistrationLeavesTheOthersFixed) {
  const RefPtr<Registration> first = Register(0);
  engine_.budget_bytes = kAll;
  const RefPtr<Registration> second = Register(1);
  EXPECT_EQ(second->Report().outcome, Outcome::kCopy);
  EXPECT_EQ(second->Report().reason, Reason::kMemlockLimit);
  EXPECT_EQ(first->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(engine_.registered.size(), 1u);
  engine_.budget_bytes = 2 * kAll;
  ASSERT_TRUE(second->Promote().ok());
  EXPECT_EQ(second->Report().outcome, Outcome::kFixed);
}

TEST_F(WholeTableRegistrationTest, ALostRegistrationCopiesAndCanBePromoted) {
  const RefPtr<Registration> kept = Register(0, {.policy = Policy::kRequire});
  const uint64_t used_before = MemlockLedger::used_bytes();
  engine_.register_errors = {EFAULT, ENOMEM};  // for the new table, then for the old one
  const RefPtr<Registration> refused = Register(1);
  EXPECT_EQ(refused->Report().outcome, Outcome::kCopy);
  RegistrationReport report = kept->Report();
  EXPECT_EQ(report.outcome, Outcome::kCopy);
  EXPECT_EQ(report.reason, Reason::kMemlockLimit);
  EXPECT_EQ(report.system_error, ENOMEM);
  EXPECT_EQ(SlotOf(kept), kNoBufferSlot);
  EXPECT_EQ(MemlockLedger::used_bytes(), used_before - kAll);
  ASSERT_TRUE(kept->Promote().ok());
  EXPECT_EQ(kept->Report().outcome, Outcome::kFixed);
  EXPECT_EQ(SlotOf(kept), 0);
}

TEST_F(WholeTableRegistrationTest, ALostRegistrationIsNotUnpinnedAgain) {
  RefPtr<Registration> lost = Register(0);
  engine_.register_errors = {EFAULT, ENOMEM};
  (void)Register(1);
  const RefPtr<Registration> next = Register(2);
  ASSERT_EQ(SlotOf(next), 0) << "the slot of the lost one";
  lost.reset();
  EXPECT_EQ(SlotOf(next), 0);
  EXPECT_EQ(engine_.registered.size(), 1u);
}

}  // namespace
}  // namespace mooring
