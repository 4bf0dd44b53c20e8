// Queues: more operations than entries, more completions than room, two threads at the same time,
// and the caller's event loop.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class Queues : public ConformanceTest {
 protected:
  static mooring_ring_options_t Sized(uint32_t submission_count, uint32_t completion_count,
                                      uint32_t in_flight_max) {
    mooring_ring_options_t options = RingOptions();
    options.submission_count = submission_count;
    options.completion_count = completion_count;
    options.in_flight_max = in_flight_max;
    return options;
  }

  static std::vector<mooring_op_t> Nops(uint32_t count) {
    std::vector<mooring_op_t> operations;
    for (uint32_t i = 0; i < count; ++i) operations.push_back(WithUserData(Nop(), i));
    return operations;
  }

  // Reaps until nothing is in flight. Every user_data below `count` must complete exactly once.
  static void ExpectEachOnce(const Ring& ring, uint32_t count) {
    std::set<uint64_t> seen;
    while (seen.size() < count) {
      mooring_completion_t batch[100];
      uint32_t got = 0;
      ASSERT_OK(mooring_ring_reap(ring.get(), batch, 100, 1, kPatienceNs, &got));
      ASSERT_GT(got, 0u) << count - seen.size() << " completions are missing";
      for (uint32_t i = 0; i < got; ++i) {
        ASSERT_LT(batch[i].user_data, count);
        ASSERT_TRUE(seen.insert(batch[i].user_data).second)
            << "completed twice: " << batch[i].user_data;
      }
    }
    EXPECT_TRUE(ReapBriefly(ring, 1).empty()) << "a completion without an operation";
  }
};

CONFORMANCE_TEST(Queues, AcceptNoMoreThanInFlightMax, kAnywhere) {
  const Ring ring = CreateRing(Sized(8, 16, 10));
  ASSERT_NE(ring, nullptr);
  const Pipe pipe;
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  std::vector<mooring_op_t> reads;
  for (uint64_t i = 0; i < 16; ++i) {
    reads.push_back(
        WithUserData(ReadStream(pipe.read_fd(), InSlab(registration.get(), i * 4096), 1), i));
  }
  uint32_t accepted = 0;
  ASSERT_OK(mooring_ring_submit(ring.get(), reads.data(), 16, &accepted));
  EXPECT_EQ(accepted, 10u);
  EXPECT_EQ(Stats(ring).in_flight, 10u);
  ASSERT_OK(mooring_ring_submit(ring.get(), reads.data() + accepted, 6, &accepted));
  EXPECT_EQ(accepted, 0u) << "the ring is full";

  pipe.Write("abc", 3);
  EXPECT_EQ(Reap(ring, 3).size(), 3u);
  ASSERT_OK(mooring_ring_submit(ring.get(), reads.data() + 10, 6, &accepted));
  EXPECT_EQ(accepted, 3u);
  ASSERT_OK(mooring_ring_close(ring.get(), kPatienceNs));
  EXPECT_EQ(Reap(ring, 10).size(), 10u);
}

CONFORMANCE_TEST(Queues, AChainIsAcceptedWholeOrNotAtAll, kAnywhere) {
  const Ring ring = CreateRing(Sized(8, 16, 6));
  ASSERT_NE(ring, nullptr);
  std::vector<mooring_op_t> operations = Nops(8);
  for (int i : {4, 5, 6})
    operations[i].flags = MOORING_OPERATION_LINK;  // a chain of 4 to 7; only 6 fit
  uint32_t accepted = 0;
  ASSERT_OK(mooring_ring_submit(ring.get(), operations.data(), 8, &accepted));
  EXPECT_EQ(accepted, 4u);
  EXPECT_EQ(Reap(ring, 4).size(), 4u);
  ASSERT_OK(mooring_ring_submit(ring.get(), operations.data() + 4, 4, &accepted));
  EXPECT_EQ(accepted, 4u);
  for (const mooring_completion_t& completion : Reap(ring, 4)) EXPECT_EQ(completion.result, 0);
}

CONFORMANCE_TEST(Queues, ABatchMayBeLargerThanTheSubmissionQueue, kAnywhere) {
  const Ring ring = CreateRing(Sized(4, 512, 300));
  ASSERT_NE(ring, nullptr);
  Submit(ring, Nops(300));
  ExpectEachOnce(ring, 300);
}

CONFORMANCE_TEST(Queues, Rule3NothingIsLostWhenTheCompletionQueueIsFull, kAnywhere) {
  const Ring ring = CreateRing(Sized(8, 8, 1000));
  ASSERT_NE(ring, nullptr);
  Submit(ring, Nops(1000));
  EXPECT_EQ(Stats(ring).submitted, 1000u);
  ExpectEachOnce(ring, 1000);
  EXPECT_EQ(Stats(ring).completed, 1000u);
  EXPECT_EQ(Stats(ring).failed, 0u);
}

CONFORMANCE_TEST(Queues, ReapReturnsAtMostItsCapacity, kAnywhere) {
  const Ring ring = CreateRing();
  Submit(ring, Nops(10));
  mooring_completion_t completions[4];
  std::set<uint64_t> seen;
  for (uint32_t expected : {4u, 4u, 2u}) {
    uint32_t got = 0;
    ASSERT_OK(mooring_ring_reap(ring.get(), completions, 4, expected, kPatienceNs, &got));
    EXPECT_EQ(got, expected);
    for (uint32_t i = 0; i < got; ++i) seen.insert(completions[i].user_data);
  }
  EXPECT_EQ(seen.size(), 10u);
  uint32_t got = 7;
  ASSERT_OK(mooring_ring_reap(ring.get(), completions, 4, 0, 0, &got));
  EXPECT_EQ(got, 0u);
}

CONFORMANCE_TEST(Queues, SubmitAndReapReturnsBothCounts, kAnywhere) {
  const Ring ring = CreateRing(Sized(8, 16, 8));
  const std::vector<mooring_op_t> operations = Nops(12);
  mooring_completion_t completions[16];
  uint32_t accepted = 0;
  uint32_t got = 0;
  ASSERT_OK(mooring_ring_submit_and_reap(ring.get(), operations.data(), 12, &accepted, completions,
                                         16, 8, kPatienceNs, &got));
  EXPECT_EQ(accepted, 8u);
  EXPECT_EQ(got, 8u);
}

CONFORMANCE_TEST(Queues, OneThreadSubmitsWhileAnotherReaps, kAnyThread) {
  constexpr uint32_t kTotal = 20'000;
  const Ring ring = CreateRing(Sized(16, 64, 64));
  std::atomic<bool> failed{false};
  std::thread submitter([&] {
    const std::vector<mooring_op_t> operations = Nops(kTotal);
    uint32_t done = 0;
    const auto deadline = std::chrono::steady_clock::now() + 2 * kPatience;
    while (done < kTotal && std::chrono::steady_clock::now() < deadline) {
      uint32_t accepted = 0;
      const uint32_t batch = std::min(kTotal - done, 1 + done % 40);
      if (mooring_error_t* error =
              mooring_ring_submit(ring.get(), operations.data() + done, batch, &accepted)) {
        mooring_error_destroy(error);
        failed = true;
        return;
      }
      done += accepted;
      if (accepted == 0)
        std::this_thread::yield();  // the ring is full until the other thread reaps
    }
    failed = failed || done != kTotal;
  });
  ExpectEachOnce(ring, kTotal);
  submitter.join();
  EXPECT_FALSE(failed.load());
}

CONFORMANCE_TEST(Queues, AWaitingReaperWakesForASubmission, kAnyThread) {
  const Ring ring = CreateRing();
  for (int round = 0; round < 50; ++round) {
    uint32_t got = 0;
    std::thread reaper([&] {
      mooring_completion_t completion;
      mooring_error_destroy(mooring_ring_reap(ring.get(), &completion, 1, 1, kPatienceNs, &got));
    });
    Submit(ring, Nops(1));
    reaper.join();
    ASSERT_EQ(got, 1u);
  }
}

CONFORMANCE_TEST(Queues, EachSideMayMoveBetweenThreads, kAnyThread) {
  const Ring ring = CreateRing();
  for (int round = 0; round < 10; ++round) {
    std::thread([&] { Submit(ring, Nops(4)); }).join();
    std::thread([&] { ExpectEachOnce(ring, 4); }).join();
  }
}

CONFORMANCE_TEST(Queues, EventFdWakesAnEpollLoop, kAnywhere) {
  const Ring ring = CreateRing();
  int32_t event_fd = -1;
  ASSERT_OK(mooring_ring_event_fd(ring.get(), &event_fd));
  int32_t again = -1;
  ASSERT_OK(mooring_ring_event_fd(ring.get(), &again));
  EXPECT_EQ(again, event_fd);

  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.fd = event_fd}};
  ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event_fd, &event), 0);
  const int patience_ms = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  const Pipe pipe;
  std::byte memory[16];
  for (int round = 0; round < 20; ++round) {
    Submit(ring, {ReadStream(pipe.read_fd(), AtAddress(memory), 16)});
    pipe.Write("wake", 4);
    // EINTR also occurs without a signal: the kernel interrupts the thread to run a ring's task
    // work.
    int ready = 0;
    do {
      ready = epoll_wait(epoll.get(), &event, 1, patience_ms);
    } while (ready < 0 && errno == EINTR);
    ASSERT_EQ(ready, 1) << "round " << round;
    uint64_t value = 0;
    ASSERT_EQ(read(event_fd, &value, sizeof value), static_cast<ssize_t>(sizeof value));
    // Read first, then reap until there is nothing more: this order loses no wake-up.
    uint32_t total = 0;
    ASSERT_TRUE(Eventually([&] {
      mooring_completion_t completion;
      uint32_t got = 0;
      EXPECT_OK(mooring_ring_reap(ring.get(), &completion, 1, 0, 0, &got));
      total += got;
      return total == 1;
    }));
  }
}

CONFORMANCE_TEST(Queues, StatsCountTheOperations, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(81, 0, kBufferBytes));
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab);
  constexpr int kNotOpen = 987'654;
  Run(ring, {Nop(), Read(kNotOpen, 0, InSlab(registration.get(), 0), 512),
             Read(file.get(), 0, InSlab(registration.get(), 0), 1000),
             Read(file.get(), kBufferBytes - 10, InSlab(registration.get(), 4096), 1000),
             Write(file.get(), 0, InSlab(registration.get(), 8192), 2000)});
  const mooring_ring_stats_t stats = Stats(ring);
  EXPECT_EQ(stats.submitted, 5u);
  EXPECT_EQ(stats.completed, 5u);
  EXPECT_EQ(stats.failed, 1u);
  EXPECT_EQ(stats.cancelled, 0u);
  EXPECT_EQ(stats.read_bytes, 1010u);
  EXPECT_EQ(stats.write_bytes, 2000u);
  EXPECT_EQ(stats.short_count, 1u);
  EXPECT_EQ(stats.in_flight, 0u);
  EXPECT_GE(stats.system_calls, 1u);
  const bool fixed = PathOf(registration, 0, kBufferBytes) == MOORING_PATH_FIXED;
  EXPECT_EQ(fixed ? stats.write_fixed : stats.write, 1u);
  EXPECT_GE(fixed ? stats.read_fixed : stats.read, 2u);
  EXPECT_EQ(fixed ? stats.read : stats.read_fixed, 0u);
}

}  // namespace
}  // namespace mooring::conformance
