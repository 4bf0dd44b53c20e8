// Waiting: every wait has a limit, no wait returns early, and signals change neither (rule 9).

#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/cpu_stopwatch.h"

namespace mooring::conformance {
namespace {

using Clock = std::chrono::steady_clock;

// A signal every 200 microseconds, from a POSIX timer, because the tests' deadline uses the
// real-time alarm of the process.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      count_.fetch_add(1, std::memory_order_relaxed);
    };  // without SA_RESTART
    EXPECT_EQ(sigaction(SIGUSR1, &action, &before_), 0);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer_), 0);
    const timespec period{.tv_sec = 0, .tv_nsec = 200'000};
    const itimerspec spec{.it_interval = period, .it_value = period};
    EXPECT_EQ(timer_settime(timer_, 0, &spec, nullptr), 0);
  }

  ~SignalStorm() {
    timer_delete(timer_);
    // A signal may be pending. Ignored signals are dropped, but the default handler would end the
    // process.
    signal(SIGUSR1, SIG_IGN);
    sigaction(SIGUSR1, &before_, nullptr);
  }

  static uint64_t count() { return count_.load(std::memory_order_relaxed); }

 private:
  static std::atomic<uint64_t> count_;
  struct sigaction before_ {};
  timer_t timer_{};
};

std::atomic<uint64_t> SignalStorm::count_{0};

class Waiting : public DataTest {
 protected:
  uint32_t ReapFor(std::chrono::nanoseconds timeout) {
    mooring_completion_t completion;
    uint32_t got = 7;
    EXPECT_OK(mooring_ring_reap(ring_.get(), &completion, 1, 1, timeout.count(), &got));
    return got;
  }

  // A descriptor must stay open until the operation on it has completed.
  void EndRead(const Pipe& pipe) {
    pipe.Write("x", 1);
    EXPECT_EQ(Reap(ring_, 1).front().result, 1);
  }
};

CONFORMANCE_TEST(Waiting, Rule9AReapEndsAtItsTimeoutAndNotBefore, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16)});
  for (const std::chrono::milliseconds timeout :
       {std::chrono::milliseconds(0), std::chrono::milliseconds(1),
        std::chrono::milliseconds(50)}) {
    const Clock::time_point before = Clock::now();
    EXPECT_EQ(ReapFor(timeout), 0u);
    const auto waited = Clock::now() - before;
    EXPECT_GE(waited, timeout);
    EXPECT_LT(waited, timeout + kPatience);
  }
  EndRead(pipe);
}

CONFORMANCE_TEST(Waiting, Rule9AReapWithNothingInFlightWaitsToo, kAnywhere) {
  const Clock::time_point before = Clock::now();
  EXPECT_EQ(ReapFor(std::chrono::milliseconds(30)), 0u);
  EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(30));
}

CONFORMANCE_TEST(Waiting, Rule9AReapReturnsFewerAtItsTimeout, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(Nop(), 1), WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 2)});
  mooring_completion_t completions[2];
  uint32_t got = 0;
  // Repeats until the nop has completed: the SQPOLL thread may take it late.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_OK(mooring_ring_reap(ring_.get(), completions, 2, 2, kQuietNs, &got));
    return got != 0;
  }));
  ASSERT_EQ(got, 1u) << "fewer than min_count is not an error";
  EXPECT_EQ(completions[0].user_data, 1u);
  EndRead(pipe);
}

CONFORMANCE_TEST(Waiting, TheLongestTimeoutDoesNotOverflow, kAnywhere) {
  Submit(ring_, {Timeout(10'000'000)});
  mooring_completion_t completion;
  uint32_t got = 0;
  ASSERT_OK(mooring_ring_reap(ring_.get(), &completion, 1, 1, INT64_MAX, &got));
  EXPECT_EQ(got, 1u);
  EXPECT_EQ(completion.result, -ETIME);
}

CONFORMANCE_TEST(Waiting, Rule9AWaitingReapDoesNotSpin, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16)});
  const CpuStopwatch cpu;
  EXPECT_EQ(ReapFor(std::chrono::milliseconds(300)), 0u);
  // A wait for the timeout, which shows that the call does not spin: spinning would use all 300 ms.
  // (The stopwatch leaves out the SQPOLL thread.)
  EXPECT_LT(cpu.Elapsed(), std::chrono::milliseconds(100));
  EndRead(pipe);
}

// There is always something to reap, so no call ever waits. An operation that is ready must
// complete nevertheless.
CONFORMANCE_TEST(Waiting, Rule9ABusyRingStarvesNoOperation, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 1)});
  pipe.Write("due", 3);
  EXPECT_TRUE(Eventually([&] {
    Submit(ring_, {Nop(), Nop()});
    uint64_t due = 0;
    for (int i = 0; i < 2; ++i) due += Reap(ring_, 1).front().user_data;
    return due != 0;
  })) << "the read did not complete, although its bytes are available";
}

CONFORMANCE_TEST(Waiting, Rule9ABusyRingStarvesNoOperationInSubmitAndReap, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 16), 1)});
  pipe.Write("due", 3);
  const mooring_op_t nops[] = {Nop(), Nop()};
  EXPECT_TRUE(Eventually([&] {
    mooring_completion_t completions[2];
    uint32_t accepted = 0;
    uint32_t got = 0;
    EXPECT_OK(mooring_ring_submit_and_reap(ring_.get(), nops, 2, &accepted, completions, 2, 1,
                                           kPatienceNs, &got));
    uint64_t due = 0;
    for (uint32_t i = 0; i < got; ++i) due += completions[i].user_data;
    return due != 0;
  })) << "the read did not complete, although its bytes are available";
}

CONFORMANCE_TEST(Waiting, Rule9SignalsDoNotEndAReap, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16)});
  const SignalStorm storm;
  const uint64_t signals = SignalStorm::count();
  // Repeats until enough signals have arrived, which takes longer on a loaded machine. Each round
  // is a bounded wait, which shows that a signal does not end the reap.
  EXPECT_TRUE(Eventually([&] {
    const Clock::time_point before = Clock::now();
    EXPECT_EQ(ReapFor(std::chrono::nanoseconds(kQuietNs)), 0u);
    EXPECT_GE(Clock::now() - before, std::chrono::nanoseconds(kQuietNs));
    return SignalStorm::count() > signals + 5;
  })) << SignalStorm::count() - signals
      << " signals";
  EndRead(pipe);
}

CONFORMANCE_TEST(Waiting, Rule9SignalsBreakNoOperation, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(111, 0, kSlabBytes));
  const Pipe pipe;
  const SignalStorm storm;
  // The number of signals is the condition, not a time. The storm sends them in 0.1 s or more.
  const uint64_t signals_end = SignalStorm::count() + 500;
  int rounds = 0;
  while (SignalStorm::count() < signals_end) {
    Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 64), 1),
                   WithUserData(Read(file.get(), 4096, At(kBufferBytes), kBufferBytes), 2)});
    const std::vector<std::byte> sent = Pattern(112, 0, 64);
    pipe.Write(sent.data(), sent.size());
    for (const mooring_completion_t& completion : Reap(ring_, 2)) {
      ASSERT_EQ(completion.result,
                completion.user_data == 1 ? 64 : static_cast<int64_t>(kBufferBytes));
    }
    ASSERT_TRUE(HasPattern(data(), 112, 0, 64));
    ASSERT_TRUE(HasPattern(data(kBufferBytes), 111, 4096, kBufferBytes));
    ++rounds;
  }
  EXPECT_GT(rounds, 0);
}

CONFORMANCE_TEST(Waiting, Rule9SignalsDoNotEndAClose, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16), ReadStream(pipe.read_fd(), At(512), 16)});
  const SignalStorm storm;
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  EXPECT_EQ(Reap(ring_, 2).size(), 2u);
}

}  // namespace
}  // namespace mooring::conformance
