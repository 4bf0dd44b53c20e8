// Growth of registered slabs, on engines whose budget is set by each test.

#include "cpp/registration/slab_growth.h"
#include "cpp/base/format.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/registration/registration.h"
#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kCount = 8;
constexpr uint64_t kCountMax = 32;

class SlabGrowthTest : public testing::Test {
 protected:
  SlabGrowthTest() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(64 << 20, before_.rlim_max);
    setrlimit(RLIMIT_MEMLOCK, &limit);
    for (size_t i = 0; i < engines_.size(); ++i) {
      engines_[i].mutable_info().fixed_buffer_count = 1024;
      tables_[i] = MakeRef<BufferTable>(&engines_[i]);
    }
    engines_[1].refuse_clones_with = EPERM;
    slab_ = Slab::Create({.buffer_bytes = kBuffer,
                          .buffer_count = kCount,
                          .huge_pages = HugePages::kNever,
                          .touch = Touch::kNone,
                          .buffer_count_max = kCountMax})
                .value();
  }
  ~SlabGrowthTest() override {
    for (const RefPtr<BufferTable>& table : tables_) table->Detach();
    setrlimit(RLIMIT_MEMLOCK, &before_);
  }

  RefPtr<Registration> Register(size_t ring, Policy policy = Policy::kPrefer) {
    Result<RefPtr<Registration>> registration =
        Registration::Create(tables_[ring], slab_, {.policy = policy});
    EXPECT_TRUE(registration.ok()) << registration.status().message();
    return std::move(registration).value();
  }
  void DeliverTags(size_t ring) {
    Event event;
    while (engines_[ring].Reap({&event, 1}, 0, Deadline()) == 1) tables_[ring]->OnTag(event.token);
  }

  rlimit before_;
  std::array<FakeEngine, 2> engines_;
  std::array<RefPtr<BufferTable>, 2> tables_;
  RefPtr<Slab> slab_;
};

TEST_F(SlabGrowthTest, AddsAnExtentAndKeepsTheOthers) {
  const RefPtr<Registration> registration = Register(0);
  const int32_t slot = registration->SlotFor(0, kCount * kBuffer);
  ASSERT_GE(slot, 0);
  ASSERT_TRUE(GrowSlab(*slab_, 4).ok());
  EXPECT_EQ(registration->SlotFor(0, kCount * kBuffer), slot);
  const int32_t added = registration->SlotFor(kCount * kBuffer, 4 * kBuffer);
  EXPECT_GE(added, 0);
  EXPECT_NE(added, slot);
  EXPECT_EQ(registration->SlotFor((kCount - 1) * kBuffer, 2 * kBuffer), kNoBufferSlot)
      << "crosses from the old extent to the new one";
  const RegistrationReport report = registration->Report();
  EXPECT_EQ(report.extent_count, 2u);
  EXPECT_EQ(report.bytes_requested, (kCount + 4) * kBuffer);
  EXPECT_EQ(report.outcome, Outcome::kFixed);
}

TEST_F(SlabGrowthTest, EachRegistrationKeepsToItsPolicy) {
  const RefPtr<Registration> prefer = Register(0);
  const RefPtr<Registration> never = Register(0, Policy::kNever);
  const RefPtr<Registration> require = Register(1, Policy::kRequire);
  engines_[0].refuse_clones_with = EPERM;
  engines_[0].budget_bytes = (kCount + 3) * kBuffer;
  ASSERT_TRUE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(prefer->Report().outcome, Outcome::kPartial);
  EXPECT_EQ(prefer->Report().reason, Reason::kMemlockLimit);
  EXPECT_EQ(never->Report().reason, Reason::kPolicy);
  EXPECT_EQ(never->Report().bytes_requested, 16 * kBuffer);
  EXPECT_EQ(never->Report().bytes_fixed, 0u);
  EXPECT_EQ(require->Report().bytes_fixed, 16 * kBuffer);
  engines_[0].budget_bytes = UINT64_MAX;
  EXPECT_TRUE(prefer->Promote().ok());
  EXPECT_EQ(prefer->Report().bytes_fixed, 16 * kBuffer);
}

TEST_F(SlabGrowthTest, IfOneCannotPinUnderRequireTheOthersUnpin) {
  const RefPtr<Registration> first = Register(0, Policy::kRequire);
  const RefPtr<Registration> second = Register(1, Policy::kRequire);
  const RefPtr<Registration> prefer = Register(0);
  const uint64_t pinned = engines_[0].pinned_bytes();
  engines_[1].budget_bytes = (kCount + 3) * kBuffer;
  const Status status = GrowSlab(*slab_, 8);
  EXPECT_EQ(status.code(), Code::kMemlockLimit) << status.message();
  EXPECT_NE(std::string(status.message()).find(FormatBytes(16 * kBuffer)), std::string::npos)
      << status.message();
  EXPECT_EQ(slab_->buffer_count(), kCount);
  EXPECT_EQ(engines_[0].pinned_bytes(), pinned);
  EXPECT_EQ(engines_[1].pinned_bytes(), kCount * kBuffer);
  for (const RefPtr<Registration>& registration : {first, second, prefer}) {
    EXPECT_EQ(registration->Report().bytes_requested, kCount * kBuffer);
    EXPECT_EQ(registration->Report().outcome, Outcome::kFixed);
  }
  engines_[1].budget_bytes = UINT64_MAX;
  EXPECT_TRUE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(second->Report().bytes_fixed, 16 * kBuffer);
  EXPECT_EQ(prefer->Report().bytes_fixed, 16 * kBuffer);
}

// Another ring must not clone a slot that still pins pages of a growth that was undone.
TEST_F(SlabGrowthTest, PagesOfAGrowthThatWasUndoneAreNeverCloned) {
  engines_[0].hold_tags = true;
  const RefPtr<Registration> first = Register(0, Policy::kRequire);
  const RefPtr<Registration> second = Register(1, Policy::kRequire);
  engines_[1].budget_bytes = kCount * kBuffer;
  ASSERT_FALSE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(tables_[0]->awaited_tags(), 1u);
  engines_[1].refuse_clones_with = 0;
  engines_[1].budget_bytes = UINT64_MAX;
  engines_[0].refuse_being_cloned_with = 0;
  const int clones = engines_[1].clones;
  ASSERT_TRUE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(engines_[1].clones, clones + 1) << "from the slot that the first has pinned again";
  EXPECT_EQ(engines_[0].pinned_bytes(), 16 * kBuffer);
  engines_[0].ReleaseTags();
  DeliverTags(0);
  EXPECT_EQ(tables_[0]->awaited_tags(), 0u);
}

TEST_F(SlabGrowthTest, TheOwnerPinsAtItsNextCall) {
  const RefPtr<Registration> registration = Register(0);
  engines_[0].is_owner = false;
  ASSERT_TRUE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(registration->Report().reason, Reason::kOwnerThread);
  EXPECT_EQ(registration->Report().bytes_requested, 16 * kBuffer);
  EXPECT_EQ(registration->Report().bytes_fixed, kCount * kBuffer);
  EXPECT_NE(registration->Report().remedy, "");
  ASSERT_TRUE(tables_[0]->has_deferred());
  engines_[0].is_owner = true;
  tables_[0]->RunDeferred();
  ASSERT_TRUE(tables_[0]->ConsumePromotionRequest());
  RegistrationRegistry::PromoteForOwner(*tables_[0]);
  EXPECT_EQ(registration->Report().bytes_fixed, 16 * kBuffer);
  EXPECT_EQ(registration->Report().reason, Reason::kNone);
}

TEST_F(SlabGrowthTest, RequireOfAnotherOwnerIsRefusedBeforeAnythingIsPinned) {
  const RefPtr<Registration> mine = Register(0, Policy::kRequire);
  const RefPtr<Registration> others = Register(1, Policy::kRequire);
  engines_[1].is_owner = false;
  const int updates = engines_[0].updates;
  const Status status = GrowSlab(*slab_, 8);
  EXPECT_EQ(status.code(), Code::kInvalidState);
  EXPECT_EQ(engines_[0].updates, updates);
  EXPECT_EQ(slab_->buffer_count(), kCount);
  engines_[1].is_owner = true;
}

TEST_F(SlabGrowthTest, RegistrationsThatCannotBeUsedDoNotGrow) {
  const RefPtr<Registration> of_closed_ring = Register(0, Policy::kRequire);
  const RefPtr<Registration> destroyed = Register(1, Policy::kRequire);
  tables_[0]->Close();
  destroyed->MarkDestroyed();  // an operation in flight keeps it
  engines_[0].budget_bytes = 0;
  engines_[1].budget_bytes = 0;
  engines_[1].is_owner = false;
  ASSERT_TRUE(GrowSlab(*slab_, 8).ok());
  EXPECT_EQ(slab_->buffer_count(), 16u);
  EXPECT_EQ(of_closed_ring->Report().bytes_requested, kCount * kBuffer);
  EXPECT_EQ(of_closed_ring->SlotFor(kCount * kBuffer, kBuffer), kNoBufferSlot);
  EXPECT_EQ(destroyed->Report().bytes_requested, kCount * kBuffer);
  engines_[1].is_owner = true;
}

TEST_F(SlabGrowthTest, ARegistrationThatGrewReleasesAllItsPins) {
  RefPtr<Registration> registration = Register(0);
  ASSERT_TRUE(GrowSlab(*slab_, 8).ok());
  registration.reset();
  EXPECT_EQ(engines_[0].pinned_bytes(), 0u);
  DeliverTags(0);
  EXPECT_EQ(slab_->RefCount(), 1u);
  EXPECT_TRUE(RegistrationRegistry::Of(*slab_).empty());
}

// Of a growth and a registration that run at the same time, the one that can succeed does.
TEST_F(SlabGrowthTest, IsNotRefusedBecauseOfARegistrationThatFails) {
  engines_[0].refuse_with = EFAULT;
  std::atomic<bool> done{false};
  std::thread registrar([&] {
    while (!done) {
      EXPECT_FALSE(Registration::Create(tables_[0], slab_, {.policy = Policy::kRequire}).ok());
      std::this_thread::yield();
    }
  });
  for (uint64_t i = kCount; i < kCountMax; ++i) {
    EXPECT_TRUE(GrowSlab(*slab_, 1).ok());
    std::this_thread::yield();
  }
  done = true;
  registrar.join();
}

TEST_F(SlabGrowthTest, RegistrationsMadeDuringGrowthCoverAllBuffers) {
  std::atomic<bool> done{false};
  std::thread grower([&] {
    for (uint64_t i = kCount; i < kCountMax; ++i) EXPECT_TRUE(GrowSlab(*slab_, 1).ok());
    done = true;
  });
  RefPtr<Registration> last;
  do {
    const uint64_t least = slab_->total_bytes();
    last = Register(0);
    EXPECT_GE(last->Report().bytes_requested, least);
  } while (!done);
  grower.join();
  EXPECT_EQ(slab_->buffer_count(), kCountMax);
  EXPECT_EQ(last->Report().bytes_requested, kCountMax * kBuffer);
  EXPECT_EQ(last->Report().bytes_fixed, kCountMax * kBuffer) << last->Report().message;
}

}  // namespace
}  // namespace mooring
