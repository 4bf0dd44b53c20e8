// CallingThreads: an error for two callers on one side of a ring, and for callers that do not own
// it.

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class CallingThreads : public DataTest {};

CONFORMANCE_TEST(CallingThreads, ASecondReaperIsRefused, kAnyThread) {
  uint32_t got = 0;
  std::thread first([&] {
    // Retries until it is the thread that waits: at first the second thread's calls may exclude it.
    mooring_completion_t completion;
    while (!Take(mooring_ring_reap(ring_.get(), &completion, 1, 1, 2 * kPatienceNs, &got)).ok()) {
    }
  });
  // The second reap is refused from the moment that the first one waits.
  Failure failure;
  EXPECT_TRUE(Eventually([&] {
    mooring_completion_t completion;
    uint32_t none = 0;
    failure = Take(mooring_ring_reap(ring_.get(), &completion, 1, 0, 0, &none));
    return !failure.ok();
  })) << "two reapers at the same time";
  EXPECT_EQ(failure.code, MOORING_CODE_INVALID_STATE) << failure.ToString();
  EXPECT_TRUE(ContainsIgnoringCase(failure.message, "reap")) << failure.message;
  EXPECT_NE(failure.remedy, "");
  Submit(ring_, {Nop()});
  first.join();
  EXPECT_EQ(got, 1u);
}

CONFORMANCE_TEST(CallingThreads, Rule3ASecondSubmitterIsRefusedAndNothingIsLost, kAnyThread) {
  constexpr int kSubmitters = 2;
  constexpr uint32_t kBatch = 100;
  std::atomic<uint64_t> accepted_total{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> other_errors{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> submitters;
  for (int i = 0; i < kSubmitters; ++i) {
    submitters.emplace_back([&] {
      const std::vector<mooring_op_t> nops(kBatch, Nop());
      while (!stop) {
        uint32_t accepted = 0;
        const Failure failure =
            Take(mooring_ring_submit(ring_.get(), nops.data(), kBatch, &accepted));
        accepted_total += accepted;
        if (!failure.ok()) ++(failure.code == MOORING_CODE_INVALID_STATE ? refused : other_errors);
      }
    });
  }
  uint64_t reaped = 0;
  const auto reap = [&] {
    mooring_completion_t completions[256];
    uint32_t got = 0;
    EXPECT_OK(mooring_ring_reap(ring_.get(), completions, 256, 0, 0, &got));
    reaped += got;
  };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (refused == 0 && std::chrono::steady_clock::now() < deadline) reap();
  stop = true;
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_TRUE(Eventually([&] {
    reap();
    return reaped == accepted_total;
  }));
  EXPECT_GT(refused.load(), 0u) << "two submitters at the same time";
  EXPECT_EQ(other_errors.load(), 0u);
  reap();
  EXPECT_EQ(reaped, accepted_total.load());
}

CONFORMANCE_TEST(CallingThreads, OnlyTheOwnerCalls, kOwnerThread) {
  const Slab other = CreateSlab();
  std::thread([&] {
    const mooring_op_t nop = Nop();
    mooring_completion_t completion;
    uint32_t count = 7;
    EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &nop, 1, &count), MOORING_CODE_INVALID_STATE,
                   "thread");
    EXPECT_EQ(count, 0u);
    EXPECT_REFUSED(mooring_ring_reap(ring_.get(), &completion, 1, 0, 0, &count),
                   MOORING_CODE_INVALID_STATE, "thread");
    EXPECT_REFUSED(
        mooring_ring_submit_and_reap(ring_.get(), &nop, 1, &count, &completion, 1, 0, 0, &count),
        MOORING_CODE_INVALID_STATE, "thread");
    EXPECT_REFUSED(mooring_ring_cancel(ring_.get(), 1, &count), MOORING_CODE_INVALID_STATE,
                   "thread");
    EXPECT_REFUSED(mooring_ring_close(ring_.get(), 0), MOORING_CODE_INVALID_STATE, "thread");
    mooring_registration_t* registration = nullptr;
    const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
    EXPECT_REFUSED(mooring_registration_create(ring_.get(), other.get(), &options, &registration),
                   MOORING_CODE_INVALID_STATE, "thread", "PREFER");
    EXPECT_EQ(registration, nullptr);
    // These calls are for any thread at any time. The owner's next call does the promote.
    EXPECT_OK(mooring_registration_promote(registration_.get()));
    EXPECT_EQ(Info(ring_).engine, MOORING_ENGINE_IO_URING);
    EXPECT_EQ(Stats(ring_).submitted, 0u);
    EXPECT_EQ(Info(registration_).outcome, MOORING_OUTCOME_FIXED);
  }).join();
  EXPECT_EQ(RunOne(ring_, Nop()).result, 0);
}

CONFORMANCE_TEST(CallingThreads, ARegistrationOfAnotherThreadIsPinnedByTheOwner, kOwnerThread) {
  const Slab other = CreateSlab();
  Registration registration;
  std::thread([&] {
    registration = Register(ring_, other);
    const mooring_registration_info_t info = Info(registration);
    EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
    EXPECT_EQ(info.reason, MOORING_REASON_OWNER_THREAD);
    EXPECT_STRNE(info.message, "");
    EXPECT_STRNE(info.remedy, "");
  }).join();
  const Fd file = TempDir().Create("file", Pattern(1, 0, 4096));
  // The operation finds it pinned, because the submission is a call of the owner.
  const mooring_completion_t read =
      RunOne(ring_, Read(file.get(), 0, InSlab(registration.get(), 0), 4096));
  EXPECT_EQ(read.result, 4096);
  EXPECT_EQ(read.path, uint32_t{MOORING_PATH_FIXED});
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED);
}

CONFORMANCE_TEST(CallingThreads, AWaitingOwnerPinsARegistrationOfAnotherThread, kOwnerThread) {
  const Slab other = CreateSlab();
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16)});
  std::thread other_thread([&] {
    const Registration registration = Register(ring_, other);
    EXPECT_TRUE(Eventually([&] { return Info(registration).outcome == MOORING_OUTCOME_FIXED; }));
    pipe.Write(data(), 16);
  });
  EXPECT_EQ(Reap(ring_, 1).front().result, 16);
  other_thread.join();
}

CONFORMANCE_TEST(CallingThreads, DestroyIsForAnyThread, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 16)});
  std::thread([&] {
    registration_.reset();
    ring_.reset();
  }).join();
  EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
}

CONFORMANCE_TEST(CallingThreads, InfoAndStatsAreForAnyThreadAtAnyTime, kAnyThread) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        // One snapshot's counters may be of different moments, but a later snapshot is never
        // behind.
        const uint64_t completed = Stats(ring_).completed;
        EXPECT_LE(completed, Stats(ring_).submitted);
        EXPECT_EQ(Info(registration_).outcome, CurrentExpectation().outcome);
        EXPECT_EQ(Info(ring_).engine, CurrentExpectation().engine);
      }
    });
  }
  for (int round = 0; round < 100; ++round) Run(ring_, std::vector<mooring_op_t>(16, Nop()));
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace mooring::conformance
