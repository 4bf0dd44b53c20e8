// Waits: the number of events, the deadline, and what ends a wait.

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

// Longer than the wait in io_uring_enter(2), after which a reaper waits in poll(2).
constexpr int64_t kIdleNs = 20'000'000;

void Pause(int64_t nanoseconds) {
  const timespec pause = {.tv_sec = 0, .tv_nsec = nanoseconds};
  nanosleep(&pause, nullptr);
}

class IoUringWaitTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    engine_ = MakeUring(GetParam());
    ASSERT_NE(engine_, nullptr);
  }
  // A read that completes after WriteToPipe.
  void SubmitPipeRead(uint64_t token) {
    engine_->Submit(
        std::vector{As(token, ReadAt(pipe_.read_end.get(), kFileOffsetCurrent, data_, 1))});
  }
  void WriteToPipe() { ASSERT_EQ(write(pipe_.write_end.get(), "x", 1), 1); }

  Pipe pipe_;
  char data_[8] = {};
  std::unique_ptr<Engine> engine_;  // destroyed first: the kernel must not write to freed memory
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringWaitTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringWaitTest, AZeroTimeoutDoesNotWait) {
  Event event;
  const int64_t before = MonotonicNow();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(engine_->Reap({&event, 1}, 1, Deadline()), 0u);
  EXPECT_LT(MonotonicNow() - before, 1'000'000'000);
  EXPECT_EQ(engine_->Reap({}, 0, Patience()), 0u);
}

TEST_P(IoUringWaitTest, AWaitSleepsUntilItsDeadline) {
  Event event;
  const uint64_t calls = engine_->counters().system_calls;
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine_->Reap({&event, 1}, 1, Deadline::After(200'000'000)), 0u);
  EXPECT_GE(MonotonicNow() - before, 200'000'000);
  EXPECT_LE(engine_->counters().system_calls - calls, 10u);  // it does not spin
}

TEST_P(IoUringWaitTest, AnEventEndsAWaitInEnterAndInPoll) {
  for (const int64_t pause : {int64_t{0}, int64_t{100'000}, kIdleNs}) {
    SubmitPipeRead(1);
    std::thread writer([&] {
      Pause(pause);
      WriteToPipe();
    });
    const int64_t before = MonotonicNow();
    EXPECT_EQ(Take(*engine_, 1).size(), 1u);
    EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
    writer.join();
  }
}

TEST_P(IoUringWaitTest, AReapWaitsForMinCountEvents) {
  for (uint64_t i = 0; i < 3; ++i) SubmitPipeRead(i);
  std::thread writer([&] {
    for (int i = 0; i < 3; ++i) {
      Pause(kIdleNs);
      WriteToPipe();
    }
  });
  std::vector<Event> events(8);
  EXPECT_EQ(engine_->Reap(events, 3, Patience()), 3u);
  writer.join();
}

TEST_P(IoUringWaitTest, SubmitAndReapWaitsForEventsOfEarlierRequestsToo) {
  SubmitPipeRead(1);
  std::thread writer([&] {
    Pause(kIdleNs);
    WriteToPipe();
  });
  std::vector<Event> events(8);
  EXPECT_EQ(engine_->SubmitAndReap(std::vector{As(2, Nop())}, events, 2, Patience()), 2u);
  writer.join();
}

// Pending task work must run even when immediate completions give each reap an event.
TEST_P(IoUringWaitTest, PendingEventsArriveThoughEachReapFindsOthers) {
  for (const bool one_call : {false, true}) {
    SubmitPipeRead(7);
    WriteToPipe();
    bool seen = false;
    for (const Deadline deadline = Patience(); !seen && !deadline.Passed();) {
      const std::vector<Request> nop = {As(1, Nop())};
      std::vector<Event> events(2);
      if (!one_call) engine_->Submit(nop);
      const uint32_t count = one_call ? engine_->SubmitAndReap(nop, events, 1, Patience())
                                      : engine_->Reap(events, 1, Patience());
      for (uint32_t i = 0; i < count; ++i) seen = seen || events[i].token == 7;
    }
    EXPECT_TRUE(seen);
  }
}

TEST_P(IoUringWaitTest, SubmitAndReapStopsAtItsDeadline) {
  std::vector<Event> events(8);
  const int64_t before = MonotonicNow();
  EXPECT_EQ(
      engine_->SubmitAndReap(std::vector{As(2, Nop())}, events, 2, Deadline::After(400'000'000)),
      1u);
  EXPECT_GE(MonotonicNow() - before, 400'000'000);
}

TEST_P(IoUringWaitTest, WakeOnAnotherThreadEndsAWait) {
  for (const int64_t pause : {int64_t{0}, int64_t{300'000}, kIdleNs}) {
    for (const uint32_t min_count : {1u, 8u}) {
      std::thread waker([&] {
        Pause(pause);
        engine_->Wake();
      });
      std::vector<Event> events(8);
      const int64_t before = MonotonicNow();
      EXPECT_EQ(engine_->Reap(events, min_count, Patience()), 0u);
      EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
      waker.join();
    }
  }
}

TEST_P(IoUringWaitTest, WakeEndsTheNextWaitAndOnlyThatOne) {
  engine_->Wake();
  // Finds its event without a wait, or waits again after the wake-up.
  EXPECT_EQ(Results(*engine_, {Nop()}), Values({0}));
  engine_->Wake();
  Event event;
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine_->Reap({&event, 1}, 1, Patience()), 0u);
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
  EXPECT_EQ(engine_->Reap({&event, 1}, 1, Deadline::After(30'000'000)), 0u);
  EXPECT_GE(MonotonicNow() - before, 30'000'000);
}

TEST_P(IoUringWaitTest, WakeDoesNotDelayAvailableEvents) {
  engine_->Submit(std::vector{As(1, Nop())});
  engine_->Wake();
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
}

// The signal has a handler without SA_RESTART and arrives every 200 microseconds.
TEST_P(IoUringWaitTest, FrequentSignalsEndNoWaitAndLoseNoEvent) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  std::atomic<bool> stop{false};
  std::thread signaller([&stop, target = pthread_self()] {
    while (!stop.load()) {
      pthread_kill(target, SIGUSR1);
      Pause(200'000);
    }
  });
  std::vector<Event> events(8);
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine_->Reap(events, 1, Deadline::After(100'000'000)), 0u);
  EXPECT_GE(MonotonicNow() - before, 100'000'000);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(engine_->SubmitAndReap(std::vector{As(1, Nop()), As(2, Timeout(2'000'000))}, events,
                                     2, Patience()),
              2u);
  }
  stop = true;
  signaller.join();
}

TEST_P(IoUringWaitTest, EventFdIsReadableWhenThereAreEvents) {
  const Result<int> made = engine_->EventFd();
  ASSERT_TRUE(made.ok()) << made.status().message();
  const int fd = made.value();
  EXPECT_EQ(engine_->EventFd().value(), fd);
  uint64_t count = 0;
  ASSERT_EQ(read(fd, &count, sizeof(count)), 8);  // readable from the start
  pollfd waiting = {.fd = fd, .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&waiting, 1, 20), 0);
  for (int round = 0; round < 10; ++round) {
    SubmitPipeRead(1);
    WriteToPipe();
    Event events[2];
    uint32_t reaped = 0;
    while (reaped == 0) {
      ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
      ASSERT_EQ(read(fd, &count, sizeof(count)), 8);
      for (uint32_t got = 1; got != 0; reaped += got) got = engine_->Reap(events, 0, Deadline());
    }
    EXPECT_EQ(reaped, 1u);
  }
}

TEST_P(IoUringWaitTest, AWaitWorksWhileAnEventFdIsRegistered) {
  ASSERT_TRUE(engine_->EventFd().ok());
  SubmitPipeRead(1);
  std::thread writer([&] {
    Pause(kIdleNs);
    WriteToPipe();
  });
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
  writer.join();
  std::thread waker([&] {
    Pause(kIdleNs);
    engine_->Wake();
  });
  Event event;
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine_->Reap({&event, 1}, 1, Patience()), 0u);
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
  waker.join();
}

// Without SQPOLL, where the SQPOLL thread submits.
class IoUringSystemCallsTest : public IoUringWaitTest {};
INSTANTIATE_TEST_SUITE_P(Modes, IoUringSystemCallsTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner), ModeName);

TEST_P(IoUringSystemCallsTest, AnImmediateCompletionTakesOneSystemCall) {
  std::vector<Event> events(8);
  const uint64_t before = engine_->counters().system_calls;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(engine_->SubmitAndReap(std::vector{As(1, Nop())}, events, 1, Patience()), 1u);
  }
  EXPECT_EQ(engine_->counters().system_calls - before, 100u);
}

TEST_P(IoUringSystemCallsTest, AShortWaitTakesFewerThanTwoSystemCalls) {
  std::vector<Event> events(8);
  const uint64_t before = engine_->counters().system_calls;
  for (int i = 0; i < 90; ++i) {
    ASSERT_EQ(engine_->SubmitAndReap(std::vector{As(1, Timeout(50'000))}, events, 1, Patience()),
              1u);
  }
  EXPECT_LE(engine_->counters().system_calls - before, 170u);
}

class IoUringThreadsTest : public IoUringWaitTest {};
INSTANTIATE_TEST_SUITE_P(Modes, IoUringThreadsTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kSqpoll), ModeName);

TEST_P(IoUringThreadsTest, OneThreadSubmitsWhileAnotherReaps) {
  constexpr uint64_t kCount = 20'000;
  constexpr uint32_t kInFlight = 200;
  std::atomic<uint64_t> reaped{0};
  std::vector<uint64_t> written(kCount, 0);  // the submitter writes it before it submits
  std::vector<uint8_t> seen(kCount, 0);
  std::thread reaper([&] {
    std::vector<Event> events(32);
    const Deadline deadline = Patience();
    while (reaped.load() < kCount && !deadline.Passed()) {
      const uint32_t count = engine_->Reap(events, 1, deadline);
      for (uint32_t i = 0; i < count; ++i) {
        EXPECT_EQ(written[events[i].token], events[i].token + 1);
        seen[events[i].token]++;
      }
      reaped += count;
    }
  });
  for (uint64_t next = 0; next < kCount;) {
    std::vector<Request> requests;
    for (; next < kCount && requests.size() < 16; ++next) {
      written[next] = next + 1;
      requests.push_back(As(next, Nop()));
    }
    while (next - reaped.load() > kInFlight) std::this_thread::yield();
    engine_->Submit(requests);
  }
  reaper.join();
  EXPECT_EQ(reaped.load(), kCount);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<int64_t>(kCount));
}

// Without COOP_TASKRUN a submitter that computes does not delay the reaper.
TEST_P(IoUringThreadsTest, AReaperDoesNotWaitForABusySubmitter) {
  std::atomic<bool> submitted{false};
  std::atomic<bool> stop{false};
  std::thread submitter([&] {
    SubmitPipeRead(1);
    submitted = true;
    while (!stop.load()) {
    }
  });
  while (!submitted.load()) std::this_thread::yield();
  WriteToPipe();
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
  stop = true;
  submitter.join();
}

TEST_P(IoUringThreadsTest, EveryRequestOfAThreadThatEndsGetsItsEvent) {
  std::thread([&] {
    for (uint64_t i = 0; i < 4; ++i) SubmitPipeRead(i);
  }).join();
  for (int i = 0; i < 4; ++i) WriteToPipe();
  for (const Event& event : Take(*engine_, 4))
    EXPECT_TRUE(event.result == 1 || event.result == -ECANCELED);
}

class IoUringOwnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    engine_ = MakeUring(Mode::kOwner);
    ASSERT_NE(engine_, nullptr);
    SKIP_UNLESS((engine_->info().features & kFeatureDeferTaskrun) != 0, "defer_taskrun");
  }
  std::unique_ptr<Engine> engine_;
};

TEST_F(IoUringOwnerTest, OnlyTheCreatingThreadIsTheOwner) {
  EXPECT_TRUE(engine_->IsOwner());
  std::thread([&] { EXPECT_FALSE(engine_->IsOwner()); }).join();
}

TEST_F(IoUringOwnerTest, AnotherThreadGetsEexistAndDoesNotHang) {
  std::thread([&] {
    engine_->Submit(std::vector{As(1, Nop()), As(2, Nop())});
    std::vector<Event> events(4);
    EXPECT_EQ(engine_->Reap(events, 2, Patience()), 2u);  // the failed requests
    EXPECT_EQ(events[0].result, -EEXIST);
    EXPECT_EQ(events[1].result, -EEXIST);
    const int64_t before = MonotonicNow();
    EXPECT_EQ(engine_->Reap(events, 1, Patience()), 0u);
    EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
    const iovec range = {};
    if (engine_->info().fixed_buffer_count != 0) {
      EXPECT_EQ(engine_->UpdateBuffers(0, {&range, 1}, {}), -EEXIST);
    }
  }).join();
  EXPECT_EQ(Results(*engine_, {Nop()}), Values({0}));
}

}  // namespace
}  // namespace mooring
