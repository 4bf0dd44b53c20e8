// Order: chains, drains, cancellation and timeouts.

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

constexpr mooring_operation_flags_t kLink = MOORING_OPERATION_LINK;
constexpr mooring_operation_flags_t kDrain = MOORING_OPERATION_DRAIN;

class Order : public DataTest {
 protected:
  uint64_t Position(const std::vector<mooring_completion_t>& completions, uint64_t user_data) {
    for (uint64_t i = 0; i < completions.size(); ++i) {
      if (completions[i].user_data == user_data) return i;
    }
    ADD_FAILURE() << "no completion of " << user_data;
    return completions.size();
  }

  const TempDir dir_;
};

CONFORMANCE_TEST(Order, AChainRunsOneAfterAnother, kAnywhere) {
  const Fd file = dir_.Create("data");
  FillPattern(data(), 71, 0, 4096);
  for (int round = 0; round < 20; ++round) {
    // Each operation needs the one before: write, read to another place, write that after the
    // first.
    const auto completions =
        Run(ring_, {WithFlags(Write(file.get(), 0, At(0), 4096), kLink),
                    WithFlags(Read(file.get(), 0, At(kBufferBytes), 4096), kLink),
                    WithFlags(Write(file.get(), 4096, At(kBufferBytes), 4096), kLink),
                    Read(file.get(), 4096, At(2 * kBufferBytes), 4096)});
    for (const mooring_completion_t& completion : completions) ASSERT_EQ(completion.result, 4096);
    ASSERT_TRUE(HasPattern(data(2 * kBufferBytes), 71, 0, 4096));
    FillPattern(data(kBufferBytes), 0, 0, 2 * kBufferBytes);
    ASSERT_EQ(ftruncate(file.get(), 0), 0);
  }
}

CONFORMANCE_TEST(Order, AFailureBreaksItsChainAndNoOther, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(72, 0, 4096));
  constexpr int kNotOpen = 987'654;
  const auto completions =
      Run(ring_, {WithFlags(Nop(), kLink), WithFlags(Read(kNotOpen, 0, At(0), 512), kLink),
                  WithFlags(Nop(), kLink), Nop(),
                  WithFlags(Read(file.get(), 0, At(512), 512), kLink), Nop()});
  // Up to 5.17, which also lacks SUBMIT_ALL, the kernel looks up all descriptors of a chain before
  // it starts any operation of it.
  const bool looks_ahead = Info(ring_).engine == MOORING_ENGINE_IO_URING &&
                           (Info(ring_).features & MOORING_FEATURE_SUBMIT_ALL) == 0;
  EXPECT_EQ(completions[0].result, looks_ahead ? -ECANCELED : 0);
  EXPECT_EQ(completions[1].result, -EBADF);
  EXPECT_EQ(completions[2].result, -ECANCELED);
  EXPECT_EQ(completions[3].result, -ECANCELED);
  EXPECT_EQ(completions[4].result, 512);
  EXPECT_EQ(completions[5].result, 0);
}

CONFORMANCE_TEST(Order, Rule4AShortReadBreaksItsChain, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(73, 0, 1000));
  const auto completions = Run(ring_, {WithFlags(Read(file.get(), 0, At(0), 4096), kLink), Nop()});
  EXPECT_EQ(completions[0].result, 1000);
  EXPECT_NE(completions[0].flags & MOORING_COMPLETION_SHORT, 0u);
  EXPECT_EQ(completions[1].result, -ECANCELED);
}

CONFORMANCE_TEST(Order, AChainMustEndInItsBatch, kAnywhere) {
  const mooring_op_t batch[] = {Nop(), WithFlags(Nop(), kLink)};
  uint32_t accepted = 7;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), batch, 2, &accepted),
                 MOORING_CODE_INVALID_ARGUMENT, "link");
  EXPECT_EQ(accepted, 1u) << "the operations before the chain are accepted";
  EXPECT_EQ(Reap(ring_, 1).size(), 1u);
}

CONFORMANCE_TEST(Order, ADrainWaitsForAllBeforeItAndBlocksAllAfterIt, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 1), WithUserData(Nop(), 2)});
  EXPECT_EQ(Reap(ring_, 1).front().user_data, 2u);
  Submit(ring_, {WithUserData(WithFlags(Nop(), kDrain), 3), WithUserData(Nop(), 4)});
  EXPECT_TRUE(ReapBriefly(ring_, 2).empty()) << "an operation passed the drain";
  pipe.Write("go", 2);
  const std::vector<mooring_completion_t> completions = Reap(ring_, 3);
  ASSERT_EQ(completions.size(), 3u);
  EXPECT_LT(Position(completions, 1), Position(completions, 3));
  EXPECT_LT(Position(completions, 3), Position(completions, 4));
}

CONFORMANCE_TEST(Order, Rule3CancelCancelsAllWithTheUserData, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 8),
                 WithUserData(ReadStream(pipe.read_fd(), At(512), 16), 9),
                 WithUserData(ReadStream(pipe.read_fd(), At(1024), 16), 8)});
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 8, &count));
  EXPECT_EQ(count, 2u);
  for (const mooring_completion_t& completion : Reap(ring_, 2)) {
    EXPECT_EQ(completion.user_data, 8u);
    EXPECT_EQ(completion.result, -ECANCELED);
  }
  EXPECT_EQ(Stats(ring_).cancelled, 2u);
  pipe.Write("rest", 4);
  const mooring_completion_t rest = Reap(ring_, 1).front();
  EXPECT_EQ(rest.user_data, 9u);
  EXPECT_EQ(rest.result, 4);
}

CONFORMANCE_TEST(Order, CancelWithoutAMatchIsNotFound, kAnywhere) {
  uint32_t count = 7;
  EXPECT_REFUSED(mooring_ring_cancel(ring_.get(), 12'345, &count), MOORING_CODE_NOT_FOUND,
                 "user_data");
  EXPECT_EQ(count, 0u);
}

CONFORMANCE_TEST(Order, Rule3ACancelOperationHasACompletionToo, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 1),
                 WithUserData(ReadStream(pipe.read_fd(), At(512), 16), 1)});
  Submit(ring_, {WithUserData(Cancel(1), 2)});
  const std::vector<mooring_completion_t> completions = Reap(ring_, 3);
  ASSERT_EQ(completions.size(), 3u);
  EXPECT_EQ(completions[Position(completions, 2)].result, 2);
  for (const mooring_completion_t& completion : completions) {
    if (completion.user_data == 1) {
      EXPECT_EQ(completion.result, -ECANCELED);
    }
  }
  EXPECT_EQ(RunOne(ring_, Cancel(1)).result, -ENOENT);
}

CONFORMANCE_TEST(Order, ATimeoutCompletesAtItsTime, kAnywhere) {
  const auto before = std::chrono::steady_clock::now();
  const mooring_completion_t timeout = RunOne(ring_, Timeout(30'000'000));
  EXPECT_EQ(timeout.result, -ETIME);
  EXPECT_EQ(timeout.path, MOORING_PATH_NONE);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(30));
}

CONFORMANCE_TEST(Order, TimeoutsCompleteInTheOrderOfTheirTimes, kAnywhere) {
  Submit(ring_, {WithUserData(Timeout(60'000'000), 3), WithUserData(Timeout(20'000'000), 1),
                 WithUserData(Timeout(40'000'000), 2)});
  const std::vector<mooring_completion_t> completions = Reap(ring_, 3);
  ASSERT_EQ(completions.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(completions[i].user_data, i + 1);
}

CONFORMANCE_TEST(Order, ATimeoutCanBeCancelled, kAnywhere) {
  Submit(ring_, {WithUserData(Timeout(uint64_t{3600} * 1'000'000'000), 6)});
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 6, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECANCELED);
}

CONFORMANCE_TEST(Order, ATimeoutDelaysNoOtherOperation, kAnywhere) {
  Submit(ring_, {WithUserData(Timeout(uint64_t{3600} * 1'000'000'000), 6), WithUserData(Nop(), 7)});
  EXPECT_EQ(Reap(ring_, 1).front().user_data, 7u);
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECANCELED);
}

}  // namespace
}  // namespace mooring::conformance
