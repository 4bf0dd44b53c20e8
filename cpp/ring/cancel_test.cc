// Cancellation through both sides of a ring: what a real kernel does not do on demand.
#include <cerrno>
#include <set>

#include "cpp/ring/testing/core_fixture.h"

namespace mooring {
namespace {

// More records than one batch of requests (64), so that a CANCEL of many is flushed half way.
class CancelTest : public CoreFixture {
 protected:
  static constexpr uint32_t kManyRecords = 200;

  CancelTest() : CoreFixture(kManyRecords) {}

  static Operation Cancel(uint64_t target, uint64_t user_data = 99) {
    Operation operation;
    operation.opcode = static_cast<uint16_t>(Opcode::kCancel);
    operation.offset = target;
    operation.user_data = user_data;
    return operation;
  }
  static Operation Accept(uint64_t user_data) {
    Operation operation;
    operation.opcode = static_cast<uint16_t>(Opcode::kAcceptMultishot);
    operation.user_data = user_data;
    return operation;
  }
  std::vector<Operation> Nops(uint32_t count, uint64_t user_data) {
    return std::vector<Operation>(count, Nop(user_data));
  }
  std::vector<Completion> ReapAll() {
    std::vector<Completion> all;
    for (;;) {
      const std::vector<Completion> some = Reap();
      if (some.empty()) return all;
      all.insert(all.end(), some.begin(), some.end());
    }
  }
};

TEST_F(CancelTest, ACancelExaminesEachRecordOnce) {
  MustSubmit(Nops(100, 7));
  MustSubmit({Accept(7)});
  const uint64_t before = records_.scanned_count();
  MustSubmit({Cancel(7)});
  EXPECT_EQ(records_.scanned_count() - before, kManyRecords);
  MustSubmit({Cancel(8)});
  EXPECT_EQ(records_.scanned_count() - before, 2 * kManyRecords);
  EXPECT_EQ(submitter_.CancelDetached(8), 0u);
  EXPECT_EQ(records_.scanned_count() - before, 3 * kManyRecords);
}

TEST_F(CancelTest, EachMatchGetsOneRequest) {
  MustSubmit(Nops(150, 7));
  MustSubmit({Nop(8), Nop(9)});
  MustSubmit({Cancel(7)});
  std::set<uint64_t> targets;
  std::set<uint64_t> expected;
  for (const Request& request : engine_.submitted) {
    if (request.opcode == Opcode::kCancel) {
      targets.insert(request.size64);
    } else if (expected.size() < 150) {
      expected.insert(request.token);
    }
  }
  EXPECT_EQ(engine_.submitted.size(), 152u + 150u);
  EXPECT_EQ(targets, expected);
  EXPECT_EQ(core_.cancels.load(), 150u);
}

// The first flush of the CANCEL lets the completion side run: the matches without a cancel request
// complete, and so do the cancel requests that were flushed.
TEST_F(CancelTest, MatchesThatCompleteDuringTheCancelAreNotFound) {
  constexpr uint32_t kMatches = 150;
  MustSubmit(Nops(kMatches, 7));
  std::set<uint64_t> targets;
  for (const Request& request : engine_.submitted) targets.insert(request.token);
  uint32_t flushed = 0;
  engine_.on_submit = [&] {
    for (const Request& request : engine_.submitted) targets.erase(request.size64);
    flushed = static_cast<uint32_t>(engine_.submitted.size()) - kMatches;
    for (size_t i = kMatches; i < engine_.submitted.size(); ++i)
      engine_.Complete(engine_.submitted[i].token, 0);
    for (const uint64_t token : targets) engine_.Complete(token, 0);
    EXPECT_EQ(ReapAll().size(), targets.size()) << "the CANCEL has requests to come";
  };
  MustSubmit({Cancel(7)});
  ASSERT_GT(flushed, 0u);
  ASSERT_EQ(engine_.submitted.size(), 2 * kMatches);
  for (size_t i = kMatches + flushed; i < engine_.submitted.size(); ++i) {
    for (uint32_t other = 0; other < kMatches; ++other)
      EXPECT_NE(engine_.submitted[i].size64, engine_.submitted[other].token);
    engine_.Complete(engine_.submitted[i].token, -ENOENT);
  }
  const std::vector<Completion> completions = ReapAll();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].user_data, 99u);
  EXPECT_EQ(completions[0].result, int64_t{flushed});
  EXPECT_EQ(core_.cancels.load(), 0u);
}

TEST_F(CancelTest, WithoutRoomForAllItsRequestsACancelChangesNothing) {
  MustSubmit(Nops(100, 7));
  MustSubmit({Accept(8), Nop(8)});
  core_.cancels.store(kManyRecords - 1);
  const size_t submitted = engine_.submitted.size();
  uint32_t accepted = 7;
  EXPECT_TRUE(Submit({Cancel(8)}, &accepted).ok());
  EXPECT_EQ(accepted, 0u);
  EXPECT_EQ(engine_.submitted.size(), submitted);
  EXPECT_EQ(records_.FreeCountNow(), kManyRecords - 102);
  core_.cancels.store(kManyRecords - 2);
  EXPECT_TRUE(Submit({Cancel(8)}, &accepted).ok());
  EXPECT_EQ(accepted, 1u);
  EXPECT_EQ(core_.cancels.load(), kManyRecords);
  EXPECT_EQ(engine_.submitted.size(), submitted + 2);
  EXPECT_EQ(submitter_.CancelDetached(7), std::nullopt);
  EXPECT_EQ(engine_.submitted.size(), submitted + 2);
  core_.cancels.store(2);
}

TEST_F(CancelTest, MultishotMatchesCountAsFound) {
  MustSubmit({Accept(7), Nop(7), Accept(7), Nop(7), Accept(8)});
  const std::vector<Request> targets = engine_.submitted;
  // The second one has no request in flight when it is cancelled.
  engine_.Complete(targets[2].token, 5);
  ASSERT_EQ(Reap().size(), 1u);
  MustSubmit({Cancel(7)});
  ASSERT_EQ(engine_.submitted.size(), 9u);
  EXPECT_EQ(engine_.submitted[5].token, kDetachedToken);
  EXPECT_EQ(engine_.submitted[5].size64, targets[0].token);
  EXPECT_EQ(engine_.submitted[6].size64, targets[1].token);
  EXPECT_EQ(engine_.submitted[7].size64, targets[3].token);
  EXPECT_EQ(engine_.submitted[8].opcode, Opcode::kNop) << "it ends the second one";
  for (size_t i = 5; i < 9; ++i) engine_.Complete(engine_.submitted[i].token, 0);
  engine_.Complete(targets[0].token, -ECANCELED);
  engine_.Complete(targets[1].token, -ECANCELED);
  engine_.Complete(targets[3].token, -ECANCELED);
  uint32_t cancelled = 0;
  for (const Completion& completion : ReapAll()) {
    if (completion.user_data == 99) {
      EXPECT_EQ(completion.result, 4);
    } else {
      EXPECT_EQ(completion.result, -ECANCELED);
      ++cancelled;
    }
  }
  EXPECT_EQ(cancelled, 4u);
  EXPECT_EQ(core_.cancels.load(), 0u);
  EXPECT_EQ(completer_.in_flight(), 1u);
}

TEST_F(CancelTest, ACancelOfMultishotsOnlyCompletesThroughANop) {
  MustSubmit({Accept(7)});
  MustSubmit({Cancel(7)});
  ASSERT_EQ(engine_.submitted.size(), 3u);
  EXPECT_EQ(engine_.submitted[2].opcode, Opcode::kNop);
  engine_.Complete(engine_.submitted[2].token, 0);
  EXPECT_EQ(Reap().at(0).result, 1);
}

TEST_F(CancelTest, ACancelDoesNotMatchAnotherCancel) {
  MustSubmit({Nop(7), Cancel(7, 50), Cancel(50)});
  ASSERT_EQ(engine_.submitted.size(), 3u);
  EXPECT_EQ(engine_.submitted[2].opcode, Opcode::kNop);
}

}  // namespace
}  // namespace mooring
