#include "cpp/ring/side_quiescer.h"

#include <gtest/gtest.h>

#include <thread>

#include "cpp/ring/testing/core_fixture.h"

namespace mooring {
namespace {

class SideQuiescerTest : public CoreFixture {
 protected:
  bool IsQuietNow() {
    const bool is_quiet = quiescer_.TryQuiesce();
    if (is_quiet) quiescer_.Resume();
    return is_quiet;
  }
  bool SidesAreFree() {
    const bool submission = submission_.TryEnterInternally();
    const bool completion = completion_.TryEnterInternally();
    if (submission) submission_.Leave();
    if (completion) completion_.Leave();
    return submission && completion;
  }

  SideLock submission_;
  SideLock completion_;
  SideQuiescer quiescer_{core_, submission_, completion_};
};

TEST_F(SideQuiescerTest, ARingIsQuietOnlyWhileNothingIsInFlight) {
  EXPECT_TRUE(IsQuietNow());
  MustSubmit({Nop(1)});
  EXPECT_FALSE(IsQuietNow());
  EXPECT_TRUE(SidesAreFree());
  engine_.CompleteRest();
  EXPECT_FALSE(IsQuietNow()) << "not reaped yet";
  Reap();
  EXPECT_TRUE(IsQuietNow());
}

TEST_F(SideQuiescerTest, ACancellationCountsAsInFlight) {
  MustSubmit({Nop(1)});
  ASSERT_EQ(submitter_.CancelDetached(1), 1u);
  engine_.Complete(engine_.submitted[0].token, -ECANCELED);
  ASSERT_EQ(Reap().size(), 1u);
  EXPECT_FALSE(IsQuietNow());
  engine_.CompleteRest();
  Reap();
  EXPECT_TRUE(IsQuietNow());
}

TEST_F(SideQuiescerTest, ARingIsNotQuietWhileACallIsInside) {
  for (SideLock* side : {&submission_, &completion_}) {
    ASSERT_TRUE(side->TryEnter());
    EXPECT_FALSE(IsQuietNow());
    side->Leave();
    EXPECT_TRUE(SidesAreFree());
  }
}

TEST_F(SideQuiescerTest, ACallThatIsInsideTakesOnlyTheOtherSide) {
  ASSERT_TRUE(submission_.TryEnter());
  {
    const SideQuiescer::EnteredSides entered(quiescer_, Sides::kSubmission);
    std::thread([&] { EXPECT_FALSE(IsQuietNow()) << "another thread has not entered"; }).join();
    ASSERT_TRUE(quiescer_.TryQuiesce());
    EXPECT_FALSE(completion_.TryEnterInternally());
    quiescer_.Resume();
  }
  EXPECT_FALSE(submission_.TryEnterInternally()) << "the quiescer has not taken it";
  EXPECT_FALSE(IsQuietNow()) << "the scope has ended";
  EXPECT_TRUE(completion_.TryEnterInternally());
  completion_.Leave();
  submission_.Leave();
}

TEST_F(SideQuiescerTest, TheRingIsQuietForOneThreadWhichMayNestCalls) {
  ASSERT_TRUE(quiescer_.TryQuiesce());
  ASSERT_TRUE(quiescer_.TryQuiesce());
  quiescer_.Resume();
  std::thread([&] { EXPECT_FALSE(IsQuietNow()); }).join();
  quiescer_.Resume();
  EXPECT_TRUE(SidesAreFree());
  std::thread([&] { EXPECT_TRUE(IsQuietNow()); }).join();
}

}  // namespace
}  // namespace mooring
