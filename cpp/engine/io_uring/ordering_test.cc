// Chains, drains, timeouts and cancels: the order of requests, and what ends them.

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

constexpr uint64_t kLong = 60'000'000'000;

class IoUringOrderTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    EngineOptions options = OptionsOf(GetParam());
    options.submission_count = 8;
    engine_ = MakeUring(options);
    ASSERT_NE(engine_, nullptr);
  }
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringOrderTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringOrderTest, AChainRunsInOrder) {
  const TempFile file;
  const std::vector<char> bytes = Bytes(64);
  char data[64] = {};
  EXPECT_EQ(Results(*engine_, {WriteAt(file.fd(), 0, bytes.data(), 64, kRequestLink),
                               {.opcode = Opcode::kFsync, .flags = kRequestLink, .fd = file.fd()},
                               ReadAt(file.fd(), 0, data, 64)}),
            Values({64, 0, 64}));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), data));
}

TEST_P(IoUringOrderTest, AFailureCancelsTheRestOfItsChainAndNothingElse) {
  char data[8];
  const TempFile file(Bytes(8));
  EXPECT_EQ(Results(*engine_, {Nop(kRequestLink), ReadAt(-1, 0, data, 8, kRequestLink),
                               Nop(kRequestLink), Nop(), ReadAt(file.fd(), 0, data, 8)}),
            Values({0, -EBADF, -ECANCELED, -ECANCELED, 8}));
}

TEST_P(IoUringOrderTest, AShortReadCancelsTheRestOfItsChain) {
  char data[64];
  const TempFile file(Bytes(10));
  EXPECT_EQ(Results(*engine_, {ReadAt(file.fd(), 0, data, 64, kRequestLink), Nop()}),
            Values({10, -ECANCELED}));
}

// A chain that is split between two system calls would continue after a failure. Tests chains of
// each length after each number of requests, so that some do not fit into a queue of 8.
TEST_P(IoUringOrderTest, AChainIsNeverSplit) {
  char data[8];
  for (size_t before = 0; before < 8; ++before) {
    for (size_t length = 2; length <= 8; ++length) {
      std::vector<Request> requests(before, Nop());
      Values expected(before, 0);
      requests.push_back(ReadAt(-1, 0, data, 8, kRequestLink));
      expected.push_back(-EBADF);
      for (size_t i = 1; i < length; ++i) {
        requests.push_back(Nop(i + 1 < length ? kRequestLink : 0));
        expected.push_back(-ECANCELED);
      }
      requests.push_back(Nop());
      expected.push_back(0);
      ASSERT_EQ(Results(*engine_, requests), expected) << before << " before a chain of " << length;
    }
  }
}

TEST_P(IoUringOrderTest, EachRequestOfAChainLongerThanTheQueueFails) {
  std::vector<Request> requests(9, Nop(kRequestLink));
  requests.back().flags = 0;
  requests.push_back(Nop());
  Values expected(9, -EINVAL);
  expected.push_back(0);
  EXPECT_EQ(Results(*engine_, requests), expected);
}

TEST_P(IoUringOrderTest, ADrainWaitsForAllBeforeItAndDelaysAllAfterIt) {
  Pipe pipe;
  char data[4];
  engine_->Submit(std::vector{As(1, ReadAt(pipe.read_end.get(), kFileOffsetCurrent, data, 4)),
                              As(2, Nop(kRequestDrain)), As(3, Nop())});
  ExpectNone(*engine_);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  const std::vector<Event> events = Take(*engine_, 3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].token, 1u);
  EXPECT_EQ(events[1].token, 2u);
  EXPECT_EQ(events[2].token, 3u);
}

TEST_P(IoUringOrderTest, RequestsAfterADrainDoNotWaitForEachOther) {
  Pipe pipe;
  char data[4];
  engine_->Submit(std::vector{As(1, Nop()), As(2, Nop(kRequestDrain)),
                              As(3, ReadAt(pipe.read_end.get(), kFileOffsetCurrent, data, 4)),
                              As(4, WriteAt(pipe.write_end.get(), kFileOffsetCurrent, "abcd", 4))});
  EXPECT_EQ(Take(*engine_, 4).size(), 4u);
}

TEST_P(IoUringOrderTest, ADrainAtTheHeadOfAChainDelaysAllAfterTheChain) {
  Pipe pipe;
  char data[4];
  engine_->Submit(std::vector{As(1, ReadAt(pipe.read_end.get(), kFileOffsetCurrent, data, 4)),
                              As(2, Nop(kRequestDrain | kRequestLink)), As(3, Timeout(1'000'000)),
                              As(4, Nop()), As(5, Nop())});
  ExpectNone(*engine_);
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  const std::vector<Event> events = Take(*engine_, 5);
  ASSERT_EQ(events.size(), 5u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(events[i].token, i + 1);
}

// Wake must not leave a request in the ring, because a drain would wait for it.
TEST_P(IoUringOrderTest, ADrainDoesNotWaitForAWakeUp) {
  engine_->Wake();
  Event event;
  engine_->Reap({&event, 1}, 1, QuietDeadline());
  EXPECT_EQ(Results(*engine_, {Nop(kRequestDrain)}), Values({0}));
}

TEST_P(IoUringOrderTest, ATimeoutCompletesWithEtimeAndNotEarly) {
  const int64_t before = MonotonicNow();
  EXPECT_EQ(Results(*engine_, {Timeout(30'000'000)}), Values({-ETIME}));
  EXPECT_GE(MonotonicNow() - before, 30'000'000);
}

// Each timeout keeps its own time, although the queue has only eight entries and uses them again
// immediately.
TEST_P(IoUringOrderTest, ManyTimeoutsKeepTheirOwnTimes) {
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 64; ++i)
    requests.push_back(As(i, Timeout(i % 2 == 0 ? 1'000'000 : kLong)));
  engine_->Submit(requests);
  for (const Event& event : Take(*engine_, 32)) {
    EXPECT_EQ(event.token % 2, 0u);
    EXPECT_EQ(event.result, -ETIME);
  }
  for (uint64_t i = 1; i < 64; i += 2) engine_->Submit(std::vector{As(100 + i, Cancel(i))});
  for (const Event& event : Take(*engine_, 64))
    EXPECT_EQ(event.result, event.token >= 100 ? 0 : -ECANCELED);
}

TEST_P(IoUringOrderTest, TheLongestTimeoutDoesNotExpire) {
  engine_->Submit(std::vector{As(1, Timeout(UINT64_MAX))});
  ExpectNone(*engine_);
  engine_->Submit(std::vector{As(2, Cancel(1))});
  Take(*engine_, 2);
}

TEST_P(IoUringOrderTest, CancelStopsAReadThatWaits) {
  Pipe pipe;
  char data[4];
  engine_->Submit(std::vector{As(1, ReadAt(pipe.read_end.get(), kFileOffsetCurrent, data, 4))});
  ExpectNone(*engine_);
  engine_->Submit(std::vector{As(2, Cancel(1))});
  for (const Event& event : Take(*engine_, 2)) {
    // A read that waits in a worker thread is interrupted, and the cancel then cannot report
    // success.
    const bool expected = event.token == 1 ? event.result == -ECANCELED || event.result == -EINTR
                                           : event.result == 0 || event.result == -EALREADY;
    EXPECT_TRUE(expected) << "token " << event.token << ", result " << event.result;
  }
}

TEST_P(IoUringOrderTest, CancelOfAnUnknownTokenReturnsEnoent) {
  EXPECT_EQ(Results(*engine_, {Cancel(12345)}), Values({-ENOENT}));
}

TEST_P(IoUringOrderTest, CancelOfAChainsHeadCancelsTheChain) {
  engine_->Submit(std::vector{As(1, Timeout(kLong, kRequestLink)), As(2, Nop())});
  engine_->Submit(std::vector{As(3, Cancel(1))});
  for (const Event& event : Take(*engine_, 3))
    EXPECT_EQ(event.result, event.token == 3 ? 0 : -ECANCELED);
}

}  // namespace
}  // namespace mooring
