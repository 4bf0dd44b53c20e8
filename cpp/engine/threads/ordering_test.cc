// Chains and drains of the threads engine: the order in which requests start.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

constexpr uint64_t kLong = 60'000'000'000;

std::vector<uint64_t> TokensOf(const std::vector<Event>& events) {
  std::vector<uint64_t> tokens;
  for (const Event& event : events) tokens.push_back(event.token);
  return tokens;
}

class ThreadsOrdering : public ::testing::Test {
 protected:
  Request FsyncOf(uint16_t flags = 0) {
    return {.opcode = Opcode::kFsync, .flags = flags, .fd = file_.fd()};
  }
  const std::unique_ptr<Engine> engine_ = MakeThreads();
  const TempFile file_{Bytes(64)};
  char data_[64] = {};
};

TEST_F(ThreadsOrdering, AChainRunsInOrder) {
  const std::vector<char> bytes = Bytes(64, 2);
  EXPECT_EQ(Results(*engine_,
                    {WriteAt(file_.fd(), 0, bytes.data(), 64, kRequestLink), FsyncOf(kRequestLink),
                     Nop(kRequestLink), ReadAt(file_.fd(), 0, data_, 64)}),
            Values({64, 0, 0, 64}));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), data_));
}

TEST_F(ThreadsOrdering, AFailureCancelsTheRestOfItsChainOnly) {
  EXPECT_EQ(Results(*engine_, {Nop(kRequestLink), ReadAt(-1, 0, data_, 8, kRequestLink),
                               FsyncOf(kRequestLink), Nop(), ReadAt(file_.fd(), 0, data_, 8)}),
            Values({0, -EBADF, -ECANCELED, -ECANCELED, 8}));
}

TEST_F(ThreadsOrdering, AShortReadBreaksItsChain) {
  EXPECT_EQ(Results(*engine_, {ReadAt(file_.fd(), 60, data_, 64, kRequestLink), Nop()}),
            Values({4, -ECANCELED}));
}

TEST_F(ThreadsOrdering, ATimeoutBreaksItsChain) {
  EXPECT_EQ(Results(*engine_, {Timeout(1000, kRequestLink), Nop()}), Values({-ETIME, -ECANCELED}));
  EXPECT_EQ(Results(*engine_, {Nop(kRequestLink), Timeout(1000)}), Values({0, -ETIME}));
}

TEST_F(ThreadsOrdering, ACancelThatFindsNothingBreaksItsChain) {
  EXPECT_EQ(Results(*engine_, {With(kRequestLink, Cancel(424'242)), Nop()}),
            Values({-ENOENT, -ECANCELED}));
}

TEST_F(ThreadsOrdering, ALinkOnTheLastRequestOfABatchHasNoEffect) {
  EXPECT_EQ(Results(*engine_, {Nop(), FsyncOf(kRequestLink)}), Values({0, 0}));
}

TEST_F(ThreadsOrdering, AChainLongerThanTheSubmissionQueueFailsWhole) {
  EngineOptions options;
  options.submission_count = 8;
  const auto engine = MakeThreads(options);
  std::vector<Request> requests(9, Nop(kRequestLink));
  requests.back().flags = 0;
  requests.push_back(Nop(kRequestDrain));
  Values expected(9, -EINVAL);
  expected.push_back(0);
  EXPECT_EQ(Results(*engine, requests), expected);
}

TEST_F(ThreadsOrdering, AChainContinuesAfterARequestThatWaited) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, With(kRequestLink, ReadOf(pipe.read_end.get(), data_, 4))),
                              As(2, FsyncOf(kRequestLink)), As(3, Nop())});
  ExpectNone(*engine_);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  EXPECT_EQ(TokensOf(Take(*engine_, 3)), std::vector<uint64_t>({1, 2, 3}));
}

TEST_F(ThreadsOrdering, CancellingAWaitingHeadCancelsTheChain) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, With(kRequestLink, ReadOf(pipe.read_end.get(), data_, 4))),
                              As(2, FsyncOf())});
  ExpectNone(*engine_);
  engine_->Submit(std::vector{As(3, Cancel(1))});
  for (const Event& event : Take(*engine_, 3))
    EXPECT_EQ(event.result, event.token == 3 ? 0 : -ECANCELED);
}

TEST_F(ThreadsOrdering, CancellingALaterRequestEndsTheChainThere) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, With(kRequestLink, ReadOf(pipe.read_end.get(), data_, 4))),
                              As(2, FsyncOf(kRequestLink)), As(3, Nop())});
  engine_->Submit(std::vector{As(4, Cancel(2))});
  EXPECT_EQ(Take(*engine_, 1).front().result, 0);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  for (const Event& event : Take(*engine_, 3))
    EXPECT_EQ(event.result, event.token == 1 ? 4 : -ECANCELED);
}

TEST_F(ThreadsOrdering, ADrainWaitsForAllBeforeItAndHoldsAllAfterIt) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data_, 4)),
                              As(2, FsyncOf(kRequestDrain)), As(3, Nop())});
  engine_->Submit(std::vector{As(4, ReadAt(file_.fd(), 0, data_, 4))});
  ExpectNone(*engine_);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  const std::vector<uint64_t> tokens = TokensOf(Take(*engine_, 4));
  EXPECT_EQ(tokens[0], 1u);
  EXPECT_EQ(tokens[1], 2u);
}

TEST_F(ThreadsOrdering, ADrainWithNothingBeforeItStartsImmediately) {
  EXPECT_EQ(Results(*engine_, {Nop(kRequestDrain)}), Values({0}));
  EXPECT_EQ(Results(*engine_,
                    {FsyncOf(kRequestDrain), FsyncOf(kRequestDrain), Nop(), Nop(kRequestDrain)}),
            Values({0, 0, 0, 0}));
}

TEST_F(ThreadsOrdering, ADrainAnywhereInAChainHoldsTheWholeChain) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data_, 4)),
                              As(2, Nop(kRequestLink)), As(3, FsyncOf(kRequestDrain)),
                              As(4, Nop())});
  ExpectNone(*engine_);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  EXPECT_EQ(TokensOf(Take(*engine_, 4)), std::vector<uint64_t>({1, 2, 3, 4}));
}

// Otherwise a request before the drain could not be cancelled.
TEST_F(ThreadsOrdering, ADrainDoesNotHoldACancel) {
  Pipe pipe;
  engine_->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data_, 4)),
                              As(2, FsyncOf(kRequestDrain)), As(3, Nop())});
  engine_->Submit(std::vector{As(4, Cancel(3)), As(5, Cancel(1))});
  Values results(6, INT32_MIN);
  for (const Event& event : Take(*engine_, 5)) results.at(event.token) = event.result;
  // EALREADY: a worker was trying the read at that moment.
  EXPECT_TRUE(results.back() == 0 || results.back() == -EALREADY) << results.back();
  results.pop_back();
  EXPECT_EQ(results, Values({INT32_MIN, -ECANCELED, 0, -ECANCELED, 0}));
  EXPECT_EQ(Results(*engine_, {Nop(), FsyncOf(kRequestDrain), Nop()}), Values({0, 0, 0}))
      << "the drain gate still counts correctly";
}

TEST_F(ThreadsOrdering, ADrainBehindATimeoutWaitsForIt) {
  engine_->Submit(
      std::vector{As(1, Timeout(20'000'000)), As(2, Nop(kRequestDrain)), As(3, Timeout(kLong))});
  EXPECT_EQ(TokensOf(Take(*engine_, 2)), std::vector<uint64_t>({1, 2}));
  engine_->Submit(std::vector{As(4, Cancel(3))});
  Take(*engine_, 2);
}

// Checks the guarantees of drains and chains for random batches, by the order of their events.
TEST_F(ThreadsOrdering, RandomBatchesKeepTheirOrder) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<Request> requests;
    char data[60][64];
    const size_t count = 1 + random() % 60;
    for (size_t i = 0; i < count; ++i) {
      Request request = random() % 2   ? Nop()
                        : random() % 4 ? ReadAt(file_.fd(), 0, data[i], 64)
                                       : FsyncOf();
      if (random() % 16 == 0) request = Timeout(random() % 100'000);
      if (random() % 3 == 0) request.flags |= kRequestLink;
      if (random() % 8 == 0) request.flags |= kRequestDrain;
      requests.push_back(As(i, request));
    }
    requests.back().flags &= static_cast<uint16_t>(~kRequestLink);
    engine_->Submit(requests);
    std::vector<size_t> place(count);
    const std::vector<Event> events = Take(*engine_, static_cast<uint32_t>(count));
    ASSERT_EQ(events.size(), count);
    for (size_t i = 0; i < count; ++i) place[events[i].token] = i;
    size_t last_drained = 0;  // requests from this index on come after all requests below it
    for (size_t head = 0, next = 0; head < count; head = next) {
      bool drain = false;
      next = head;
      do drain |= (requests[next].flags & kRequestDrain) != 0;
      while ((requests[next++].flags & kRequestLink) != 0);
      for (size_t i = head; i + 1 < next; ++i)
        ASSERT_LT(place[i], place[i + 1]) << "chain at " << head;
      if (drain) last_drained = head;
      for (size_t i = 0; i < last_drained; ++i) {
        for (size_t j = std::max(head, last_drained); j < next; ++j)
          ASSERT_LT(place[i], place[j]) << i << " " << j;
      }
      if (drain) last_drained = next;
    }
  }
}

}  // namespace
}  // namespace mooring
