#include "cpp/base/ref_counted.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace mooring {
namespace {

class Tracked : public RefCounted<Tracked> {
 public:
  explicit Tracked(int* destroyed, int value = 0) : value_(value), destroyed_(destroyed) {}
  int value() const { return value_; }

 private:
  friend class RefCounted<Tracked>;
  ~Tracked() { *destroyed_ += 1; }
  const int value_;
  int* const destroyed_;
};

TEST(RefPtr, DestroysWithTheLastReferenceOnly) {
  int destroyed = 0;
  RefPtr<Tracked> first = MakeRef<Tracked>(&destroyed);
  EXPECT_EQ(first->RefCount(), 1u);
  RefPtr<Tracked> second = first;
  EXPECT_EQ(first->RefCount(), 2u);
  first.reset();
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(second->RefCount(), 1u);
  second.reset();
  EXPECT_EQ(destroyed, 1);
}

TEST(RefPtr, MovesWithoutCounting) {
  int destroyed = 0;
  RefPtr<Tracked> first = MakeRef<Tracked>(&destroyed, 7);
  RefPtr<Tracked> second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT: moved from on purpose
  EXPECT_EQ(second->RefCount(), 1u);
  EXPECT_EQ((*second).value(), 7);
}

TEST(RefPtr, AssignmentDropsThePreviousReference) {
  int destroyed_first = 0;
  int destroyed_second = 0;
  RefPtr<Tracked> pointer = MakeRef<Tracked>(&destroyed_first);
  pointer = MakeRef<Tracked>(&destroyed_second);
  EXPECT_EQ(destroyed_first, 1);
  EXPECT_EQ(destroyed_second, 0);
  pointer = nullptr;
  EXPECT_EQ(destroyed_second, 1);
}

TEST(RefPtr, KeepsItsReferenceOnSelfAssignment) {
  int destroyed = 0;
  RefPtr<Tracked> pointer = MakeRef<Tracked>(&destroyed);
  RefPtr<Tracked>& same = pointer;
  pointer = same;
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(pointer->RefCount(), 1u);
  pointer = std::move(same);
  EXPECT_EQ(destroyed, 0);
  ASSERT_TRUE(pointer);
  EXPECT_EQ(pointer->RefCount(), 1u);
}

TEST(RefPtr, ReleaseAndAdoptPassAReferenceOn) {
  int destroyed = 0;
  Tracked* raw = MakeRef<Tracked>(&destroyed).Release();
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(raw->RefCount(), 1u);
  { const RefPtr<Tracked> adopted = RefPtr<Tracked>::Adopt(raw); }
  EXPECT_EQ(destroyed, 1);
}

TEST(RefPtr, OfARawPointerAddsAReference) {
  int destroyed = 0;
  const RefPtr<Tracked> owner = MakeRef<Tracked>(&destroyed);
  {
    const RefPtr<Tracked> other(owner.get());
    EXPECT_EQ(owner->RefCount(), 2u);
  }
  EXPECT_EQ(owner->RefCount(), 1u);
}

TEST(RefPtr, IsEmptyByDefault) {
  RefPtr<Tracked> nothing;
  EXPECT_FALSE(nothing);
  EXPECT_EQ(nothing.get(), nullptr);
  const RefPtr<Tracked> copy(nothing);
  EXPECT_FALSE(copy);
  nothing.reset();
  EXPECT_EQ(nothing.Release(), nullptr);
}

TEST(RefCounted, AddsManyReferencesInOneCall) {
  int destroyed = 0;
  RefPtr<Tracked> owner = MakeRef<Tracked>(&destroyed);
  owner->AddRef(32);
  EXPECT_EQ(owner->RefCount(), 33u);
  owner->DropRef(31);
  Tracked* raw = owner.get();
  owner.reset();
  EXPECT_EQ(destroyed, 0);
  raw->DropRef();
  EXPECT_EQ(destroyed, 1);
}

TEST(RefCounted, CannotBeCopied) { static_assert(!std::is_copy_constructible_v<Tracked>); }

TEST(RefCounted, IsDestroyedOnceByTheLastThread) {
  constexpr int kRounds = 200;
  constexpr int kThreads = 4;
  int destroyed = 0;
  for (int round = 0; round < kRounds; ++round) {
    RefPtr<Tracked> owner = MakeRef<Tracked>(&destroyed);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([mine = owner]() mutable {
        for (int copies = 0; copies < 100; ++copies) RefPtr<Tracked> another = mine;
        mine.reset();
      });
    }
    owner.reset();
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(destroyed, round + 1);
  }
}

#ifndef NDEBUG
TEST(RefCountedDeathTest, DroppingTooManyReferencesFailsACheck) {
  int destroyed = 0;
  const RefPtr<Tracked> owner = MakeRef<Tracked>(&destroyed);
  EXPECT_DEATH(owner->DropRef(2), "check failed");
}
#endif

}  // namespace
}  // namespace mooring
