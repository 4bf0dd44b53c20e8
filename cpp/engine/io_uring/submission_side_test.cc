// Requests that the kernel does not consume, or not in the first call.

#include "cpp/engine/io_uring/submission_side.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"
#include "cpp/engine/testing/fake_kernel.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring {
namespace {

using conformance::Eventually;
using conformance::SqpollThreadSleeps;

class SubmissionSideTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    EngineOptions options = OptionsOf(GetParam());
    options.submission_count = 8;
    engine_ = MakeUring(options, FakeKernel::calls());
    ASSERT_NE(engine_, nullptr);
  }
  void TearDown() override { kernel_.on_enter = nullptr; }

  FakeKernel kernel_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Modes, SubmissionSideTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner), ModeName);

TEST_P(SubmissionSideTest, ATemporaryShortageFailsNoRequest) {
  for (const int error : {EAGAIN, EBUSY, EINTR}) {
    int failures = 5;
    kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
      return *to_submit != 0 && failures-- > 0 ? -error : 1;
    };
    EXPECT_EQ(Results(*engine_, std::vector<Request>(20, Nop())), Values(20, 0));
  }
}

TEST_P(SubmissionSideTest, ALastingShortageFailsEachRequestOnceWithinSeconds) {
  for (const int error : {EAGAIN, EBUSY}) {
    kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
      return *to_submit != 0 ? -error : 1;
    };
    const int64_t before = MonotonicNow();
    EXPECT_EQ(Results(*engine_, std::vector<Request>(100, Nop())), Values(100, -error));
    EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
  }
  kernel_.on_enter = nullptr;
  EXPECT_EQ(Results(*engine_, std::vector<Request>(100, Nop())), Values(100, 0));
}

TEST_P(SubmissionSideTest, AFailedEnterFailsEachRequestOnceAndTheRingStillWorks) {
  int failures = 1;
  kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
    return *to_submit != 0 && failures-- > 0 ? -EBADFD : 1;
  };
  Values expected(8, -EBADFD);
  expected.resize(20, 0);
  EXPECT_EQ(Results(*engine_, std::vector<Request>(20, Nop())), expected);
}

TEST_P(SubmissionSideTest, AFailedEnterFailsTheFirstOfAChainAndCancelsTheRest) {
  int failures = 1;
  kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
    return *to_submit != 0 && failures-- > 0 ? -EPERM : 1;
  };
  const std::vector<Request> requests = {Nop(kRequestLink), Nop(kRequestLink), Nop(), Nop()};
  EXPECT_EQ(Results(*engine_, requests), (Values{-EPERM, -ECANCELED, -ECANCELED, -EPERM}));
}

// Kernels without SUBMIT_ALL stop at an invalid request. The requests after it must get events too.
TEST_P(SubmissionSideTest, UnconsumedRequestsAreSubmittedAgain) {
  const std::vector<char> bytes = Bytes(100);
  const TempFile file(bytes);
  std::vector<char> data(100);
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 100; ++i) requests.push_back(ReadAt(file.fd(), i, &data[i], 1));
  for (uint32_t step = 1; step < 8; ++step) {
    kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
      *to_submit = std::min(*to_submit, step);
      return 1;
    };
    std::fill(data.begin(), data.end(), 'x');
    EXPECT_EQ(Results(*engine_, requests), Values(100, 1));
    EXPECT_EQ(data, bytes);
  }
}

// The kernel ends a chain where it stops. The rest of the chain must not run as separate requests.
TEST_P(SubmissionSideTest, AChainThatTheKernelCutsIsCancelledFromTheCut) {
  for (uint32_t taken = 1; taken < 4; ++taken) {
    bool cut = false;
    kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
      if (*to_submit > taken && !cut) {
        cut = true;
        *to_submit = taken;
      }
      return 1;
    };
    std::vector<Request> requests(4, Nop(kRequestLink));
    requests.back().flags = 0;
    requests.push_back(Nop());
    Values expected(taken, 0);
    expected.resize(4, -ECANCELED);
    expected.push_back(0);
    EXPECT_EQ(Results(*engine_, requests), expected) << "cut after " << taken;
  }
}

TEST_P(SubmissionSideTest, SubmitAndReapReturnsFailedEvents) {
  kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
    return *to_submit != 0 ? -EBADFD : 1;
  };
  std::vector<Event> events(4);
  const std::vector<Request> requests = {As(1, Nop()), As(2, Nop())};
  EXPECT_EQ(engine_->SubmitAndReap(requests, events, 2, Patience()), 2u);
  EXPECT_EQ(events[0].token, 1u);
  EXPECT_EQ(events[1].result, -EBADFD);
}

TEST_P(SubmissionSideTest, FailuresMakeTheEventFdReadable) {
  const int fd = engine_->EventFd().value();
  uint64_t count = 0;
  ASSERT_EQ(read(fd, &count, sizeof(count)), 8);
  ASSERT_EQ(read(fd, &count, sizeof(count)), -1);
  kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
    return *to_submit != 0 ? -EBADFD : 1;
  };
  engine_->Submit(std::vector{As(1, Nop())});
  EXPECT_EQ(read(fd, &count, sizeof(count)), 8);
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
}

using SubmissionSideSqpollTest = SubmissionSideTest;
INSTANTIATE_TEST_SUITE_P(Modes, SubmissionSideSqpollTest, ::testing::Values(Mode::kSqpoll),
                         ModeName);

TEST_P(SubmissionSideSqpollTest, AFailedWakeUpIsTriedAgain) {
  for (const int error : {EINTR, EAGAIN, EBUSY, EPERM}) {
    int failures = 3;
    kernel_.on_enter = [&](int, uint32_t*, uint32_t flags) {
      return (flags & IORING_ENTER_SQ_WAKEUP) != 0 && failures-- > 0 ? -error : 1;
    };
    for (const Deadline patience = Patience(); failures > 0 && !patience.Passed();) {
      ExpectNone(*engine_);  // the SQPOLL thread sleeps after one idle millisecond
      EXPECT_EQ(Results(*engine_, {Nop()}), Values({0}));
    }
    EXPECT_LE(failures, 0);
    EXPECT_EQ(Results(*engine_, std::vector<Request>(3, Nop())), Values(3, 0));
  }
}

TEST_P(SubmissionSideSqpollTest, RequestsFailOnceWhenTheSqpollThreadCannotBeWoken) {
  for (const size_t count : {size_t{1}, size_t{3}, size_t{20}}) {  // of 8 entries
    SKIP_UNLESS(Eventually([&] { return SqpollThreadSleeps(engine_->ring_fd()); }), "wchan");
    bool entered = false;
    kernel_.on_enter = [&](int, uint32_t*, uint32_t) {
      entered = true;
      return -EPERM;
    };
    EXPECT_EQ(Results(*engine_, std::vector<Request>(count, Nop())), Values(count, -EPERM));
    EXPECT_TRUE(entered);
    kernel_.on_enter = nullptr;
    EXPECT_EQ(Results(*engine_, std::vector<Request>(count, Nop())), Values(count, 0));
    ExpectNone(*engine_);
  }
}

TEST_P(SubmissionSideSqpollTest, SetFileDoesNotWaitForAnSqpollThreadThatCannotBeWoken) {
  EngineOptions options = OptionsOf(GetParam());
  options.fixed_file_count = 1;
  options.submission_count = 8;
  engine_ = MakeUring(options, FakeKernel::calls());
  SKIP_UNLESS(Eventually([&] { return SqpollThreadSleeps(engine_->ring_fd()); }), "wchan");
  kernel_.on_enter = [](int, uint32_t*, uint32_t) { return -EPERM; };
  engine_->Submit(std::vector{As(1, Nop())});
  EXPECT_EQ(engine_->SetFile(0, 0), 0);
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
}

using SubmissionSideThreadsTest = SubmissionSideTest;
INSTANTIATE_TEST_SUITE_P(Modes, SubmissionSideThreadsTest, ::testing::Values(Mode::kAnyThread),
                         ModeName);

TEST_P(SubmissionSideThreadsTest, AFailedEventEndsAWaitInPoll) {
  kernel_.on_enter = [&](int, uint32_t* to_submit, uint32_t) {
    return *to_submit != 0 ? -EBADFD : 1;
  };
  std::thread submitter([&] {
    // Until the reaper waits in poll(2).
    const timespec pause = {.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
    engine_->Submit(std::vector{As(1, Nop())});
  });
  const int64_t before = MonotonicNow();
  EXPECT_EQ(Take(*engine_, 1).size(), 1u);
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
  submitter.join();
}

}  // namespace
}  // namespace mooring
