// Requests that wait: they keep no worker, exclude each other where necessary, and can be cancelled
// in every state.

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

constexpr uint64_t kLong = 60'000'000'000;

EngineOptions OneWorker() {
  EngineOptions options;
  options.worker_count = 1;
  return options;
}

// Needs a worker. The submitter would complete a cached read itself, before a cancellation.
Request NeedsWorker(int fd) { return {.opcode = Opcode::kFsync, .fd = fd}; }

Values ResultsByToken(Engine& engine, uint32_t count) {
  Values results(count, INT32_MIN);
  for (const Event& event : Take(engine, count)) results.at(event.token) = event.result;
  return results;
}

TEST(ThreadsWaits, ManyWaitingReadsKeepNoWorker) {
  const auto engine = MakeThreads(OneWorker());
  const TempFile file(Bytes(8));
  std::vector<Pipe> pipes(64);
  char data[64] = {};
  std::vector<Request> reads;
  for (uint64_t i = 0; i < 64; ++i)
    reads.push_back(As(i, ReadOf(pipes[i].read_end.get(), &data[i], 1)));
  engine->Submit(reads);
  engine->Submit(std::vector{As(100, NeedsWorker(file.fd()))});
  EXPECT_EQ(Take(*engine, 1).front().token, 100u);
  for (size_t i = 64; i-- > 0;) {
    const char byte = static_cast<char>('0' + i);
    ASSERT_EQ(write(pipes[i].write_end.get(), &byte, 1), 1);
    const Event event = Take(*engine, 1).front();
    EXPECT_EQ(event.token, i);
    EXPECT_EQ(event.result, 1);
    EXPECT_EQ(data[i], byte);
  }
}

TEST(ThreadsWaits, ReadsOfOnePipeShareItsBytes) {
  const auto engine = MakeThreads();
  Pipe pipe;
  char data[16] = {};
  for (uint64_t i = 0; i < 16; ++i) {
    engine->Submit(std::vector{As(i, ReadOf(pipe.read_end.get(), &data[i], 1))});
  }
  ExpectNone(*engine);
  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
    EXPECT_EQ(Take(*engine, 1).front().result, 1);
  }
  EXPECT_EQ(std::string(data, 16), std::string(16, 'x'));
}

TEST(ThreadsWaits, ATerminalIsReadAndWritten) {
  const auto engine = MakeThreads(OneWorker());
  Terminal terminal;
  char data[8];
  engine->Submit(std::vector{As(0, ReadOf(terminal.slave.get(), data, 8))});
  ExpectNone(*engine);
  ASSERT_EQ(write(terminal.master.get(), "abc", 3), 3);
  EXPECT_EQ(Take(*engine, 1).front().result, 3);
  EXPECT_EQ(std::string(data, 3), "abc");
  engine->Submit(std::vector{As(0, WriteOf(terminal.slave.get(), "defg", 4))});
  EXPECT_EQ(Take(*engine, 1).front().result, 4);
  // A terminal returns the bytes that it has, in any number of pieces.
  for (ssize_t got = 0; got < 4;) {
    const ssize_t more = read(terminal.master.get(), data + got, static_cast<size_t>(4 - got));
    ASSERT_GT(more, 0);
    got += more;
  }
  EXPECT_EQ(std::string(data, 4), "defg");
}

// The write is larger than the room of the terminal: it moves pieces and does not wait for the
// rest.
TEST(ThreadsWaits, AWriteToATerminalStopsWhereItWouldWait) {
  const auto engine = MakeThreads(OneWorker());
  Terminal terminal;
  const std::vector<char> bytes = Bytes(1 << 20);
  engine->Submit(std::vector{As(0, WriteOf(terminal.slave.get(), bytes.data(), bytes.size()))});
  const int32_t written = Take(*engine, 1).front().result;
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 1 << 20);
}

// If two reads were tried after poll(2) reports the terminal ready, the second would wait in
// read(2), here without limit, because there is only one worker.
TEST(ThreadsWaits, ReadsOfOneTerminalRunOneAtATime) {
  const auto engine = MakeThreads(OneWorker());
  const TempFile file(Bytes(8));
  Terminal terminal;
  char data[3] = {};
  for (uint64_t i = 0; i < 3; ++i) {
    engine->Submit(std::vector{As(i, ReadOf(terminal.slave.get(), &data[i], 1))});
  }
  for (uint64_t round = 0; round < 3; ++round) {
    engine->Submit(std::vector{As(9, NeedsWorker(file.fd()))});
    EXPECT_EQ(Take(*engine, 1).front().token, 9u) << "the worker is free";
    ASSERT_EQ(write(terminal.master.get(), "x", 1), 1);
    const Event event = Take(*engine, 1).front();
    EXPECT_EQ(event.token, round) << "in order of submission";
    EXPECT_EQ(event.result, 1);
  }
}

TEST(ThreadsWaits, ACancelledReadPassesTheExclusivePollOn) {
  const auto engine = MakeThreads(OneWorker());
  Terminal terminal;
  char data[4];
  for (uint64_t i = 0; i < 4; ++i) {
    engine->Submit(std::vector{As(i, ReadOf(terminal.slave.get(), &data[i], 1))});
  }
  ExpectNone(*engine);
  // One parked read, and the read that holds the exclusive poll.
  engine->Submit(std::vector{As(4, Cancel(2)), As(5, Cancel(0))});
  for (const Event& event : Take(*engine, 4)) {
    EXPECT_EQ(event.result, event.token < 4 ? -ECANCELED : 0) << event.token;
    EXPECT_EQ(event.token % 2 == 0 || event.token == 5, true);
  }
  ASSERT_EQ(write(terminal.master.get(), "ab", 2), 2);
  for (const Event& event : Take(*engine, 2)) EXPECT_EQ(event.result, 1);
  EXPECT_EQ(data[1], 'a');
  EXPECT_EQ(data[3], 'b');
}

TEST(ThreadsWaits, ReadsOfTwoTerminalsAreIndependent) {
  const auto engine = MakeThreads(OneWorker());
  Terminal first;
  Terminal second;
  char data[2];
  engine->Submit(std::vector{As(0, ReadOf(first.slave.get(), &data[0], 1)),
                             As(1, ReadOf(second.slave.get(), &data[1], 1))});
  ASSERT_EQ(write(second.master.get(), "x", 1), 1);
  EXPECT_EQ(Take(*engine, 1).front().token, 1u);
  ASSERT_EQ(write(first.master.get(), "x", 1), 1);
  EXPECT_EQ(Take(*engine, 1).front().token, 0u);
}

// poll(2) reports it writable, because it has room for a smaller number.
TEST(ThreadsWaits, AWriteToAnAlmostFullEventfdDoesNotSpin) {
  const auto engine = MakeThreads(OneWorker());
  const UniqueFd counter(eventfd(0, EFD_CLOEXEC));
  const uint64_t almost = UINT64_MAX - 5;
  ASSERT_EQ(write(counter.get(), &almost, 8), 8);
  const uint64_t more = 100;
  engine->Submit(std::vector{As(0, WriteOf(counter.get(), &more, 8))});
  ExpectNone(*engine);
  const uint64_t before = engine->counters().system_calls;
  ExpectNone(*engine);
  // ExpectNone takes 20 ms, a pause 1 ms, and between two pauses there are 9 attempts.
  EXPECT_LT(engine->counters().system_calls - before, 2000u);
  uint64_t taken = 0;
  ASSERT_EQ(read(counter.get(), &taken, 8), 8);
  EXPECT_EQ(Take(*engine, 1).front().result, 8);
  ASSERT_EQ(read(counter.get(), &taken, 8), 8);
  EXPECT_EQ(taken, 100u);
}

// In its scope, open descriptors stay open and no other descriptor is available.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none = {.rlim_cur = 0, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptorsLeft() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

 private:
  rlimit before_ = {};
};

TEST(ThreadsWaits, WithoutDescriptorsLeftAReadStillWorks) {
  const auto engine = MakeThreads(OneWorker());
  Pipe pipe;
  char data[4];
  const NoDescriptorsLeft none;
  engine->Submit(std::vector{As(0, ReadOf(pipe.read_end.get(), data, 4))});
  ExpectNone(*engine);
  EXPECT_EQ(write(pipe.write_end.get(), "abc", 3), 3);
  EXPECT_EQ(Take(*engine, 1).front().result, 3);
}

TEST(ThreadsWaits, WithoutDescriptorsLeftAReadKeepsNoWorkerAndCanBeCancelled) {
  const auto engine = MakeThreads(OneWorker());
  const TempFile file(Bytes(8));
  Pipe pipe;
  char data[4];
  const NoDescriptorsLeft none;
  engine->Submit(std::vector{As(0, ReadOf(pipe.read_end.get(), data, 4))});
  ExpectNone(*engine);
  engine->Submit(std::vector{As(1, NeedsWorker(file.fd()))});
  EXPECT_EQ(Take(*engine, 1).front().token, 1u);
  engine->Submit(std::vector{As(2, Cancel(0))});
  for (const Event& event : Take(*engine, 2)) {
    // The cancellation may find the read during an attempt; the read then stops after it.
    const bool stopped = event.token == 0 ? event.result == -ECANCELED
                                          : event.result == 0 || event.result == -EALREADY;
    EXPECT_TRUE(stopped) << event.token << ": " << event.result;
  }
}

TEST(ThreadsWaits, TimeoutsExpireInOrderAndNotEarly) {
  constexpr int64_t kStepNs = 2'000'000;
  const auto engine = MakeThreads();
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 20; ++i) requests.push_back(As(i, Timeout((20 - i) * kStepNs)));
  // Each timeout starts at its own submission: the order is certain if that took less than a step.
  bool is_order_certain = false;
  for (const Deadline deadline = Patience(); !is_order_certain && !deadline.Passed();) {
    const int64_t before = MonotonicNow();
    engine->Submit(requests);
    is_order_certain = MonotonicNow() - before < kStepNs;
    for (uint64_t i = 20; i-- > 0;) {
      const Event event = Take(*engine, 1).front();
      if (is_order_certain) {
        EXPECT_EQ(event.token, i);
      }
      EXPECT_EQ(event.result, -ETIME);
      EXPECT_GE(MonotonicNow() - before, static_cast<int64_t>(20 - event.token) * kStepNs);
    }
  }
  EXPECT_TRUE(is_order_certain);
}

TEST(ThreadsWaits, AnEarlierTimeoutExpiresBeforeOneAddedEarlier) {
  const auto engine = MakeThreads();
  engine->Submit(std::vector{As(0, Timeout(kLong))});
  engine->Submit(std::vector{As(1, Timeout(1'000'000))});
  EXPECT_EQ(Take(*engine, 1).front().token, 1u);
  engine->Submit(std::vector{As(2, Timeout(0)), As(3, Timeout(UINT64_MAX))});
  EXPECT_EQ(Take(*engine, 1).front().token, 2u);
  engine->Submit(std::vector{As(4, Cancel(0)), As(5, Cancel(3))});
  for (const Event& event : Take(*engine, 4))
    EXPECT_EQ(event.result, event.token < 4 ? -ECANCELED : 0);
}

// Compares one of the fastest of many runs, because a busy machine may delay others.
TEST(ThreadsWaits, TimeoutsAreLateByLessThanATimerTick) {
  const auto engine = MakeThreads();
  std::vector<int64_t> late;
  for (int i = 0; i < 41; ++i) {
    const int64_t before = MonotonicNow();
    engine->Submit(std::vector{As(0, Timeout(1'300'000))});
    Take(*engine, 1);
    late.push_back(MonotonicNow() - before - 1'300'000);
  }
  std::sort(late.begin(), late.end());
  EXPECT_LT(late[4], 600'000) << "nanoseconds: rounded to milliseconds somewhere";
}

TEST(ThreadsCancel, StopsAQueuedRequest) {
  const auto engine = MakeThreads(OneWorker());
  const TempFile file(Bytes(8));
  BusyWorker busy(*engine);
  engine->Submit(std::vector{As(0, NeedsWorker(file.fd())), As(1, NeedsWorker(file.fd()))});
  engine->Submit(std::vector{As(2, Cancel(0))});
  for (const Event& event : Take(*engine, 2))
    EXPECT_EQ(event.result, event.token == 0 ? -ECANCELED : 0);
  // The same within one batch.
  engine->Submit(std::vector{As(3, NeedsWorker(file.fd())), As(4, Cancel(3))});
  for (const Event& event : Take(*engine, 2))
    EXPECT_EQ(event.result, event.token == 3 ? -ECANCELED : 0);
  busy.Free();
  for (const Event& event : Take(*engine, 2)) EXPECT_GE(event.result, 0) << event.token;
}

TEST(ThreadsCancel, DistinguishesRunningFromCompleted) {
  const auto engine = MakeThreads(OneWorker());
  BusyWorker busy(*engine);
  engine->Submit(std::vector{As(0, Cancel(BusyWorker::kBusyToken))});
  EXPECT_EQ(Take(*engine, 1).front().result, -EALREADY);
  busy.Free();
  EXPECT_GE(Take(*engine, 1).front().result, 0);
  engine->Submit(std::vector{As(0, Cancel(BusyWorker::kBusyToken)), As(1, Cancel(424'242))});
  EXPECT_EQ(ResultsByToken(*engine, 2), Values({-ENOENT, -ENOENT}));
}

TEST(ThreadsCancel, StopsARequestThatWaitsForADescriptorOrTheClock) {
  const auto engine = MakeThreads();
  Pipe pipe;
  char data[4];
  for (int round = 0; round < 200; ++round) {
    // Without a pause, the cancellation finds the read in any state on its way to the poller.
    engine->Submit(std::vector{As(0, ReadOf(pipe.read_end.get(), data, 4)), As(1, Timeout(kLong)),
                               As(2, Cancel(0)), As(3, Cancel(1))});
    const Values results = ResultsByToken(*engine, 4);
    EXPECT_EQ(results[0], -ECANCELED);
    EXPECT_EQ(results[1], -ECANCELED);
    EXPECT_TRUE(results[2] == 0 || results[2] == -EALREADY) << results[2];
    EXPECT_EQ(results[3], 0);
  }
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  EXPECT_EQ(Results(*engine, {ReadOf(pipe.read_end.get(), data, 4)}), Values({4}))
      << "the cancelled reads took no data";
}

TEST(ThreadsCancel, FindsATokenThatSharesItsLowBits) {
  const auto engine = MakeThreads();
  constexpr uint64_t kApart = uint64_t{1} << 40;
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 8; ++i) requests.push_back(As(i * kApart, Timeout(kLong)));
  engine->Submit(requests);
  for (uint64_t i = 0; i < 8; ++i) {
    engine->Submit(std::vector{As(1, Cancel(i * kApart))});
    for (const Event& event : Take(*engine, 2)) {
      EXPECT_EQ(event.result, event.token == 1 ? 0 : -ECANCELED);
      EXPECT_TRUE(event.token == 1 || event.token == i * kApart);
    }
  }
}

}  // namespace
}  // namespace mooring
