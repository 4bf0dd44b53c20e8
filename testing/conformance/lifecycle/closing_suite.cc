// Closing: close waits for a ring's operations, at most for its timeout, and every operation still
// has exactly one completion.

#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/cpu_stopwatch.h"
#include "testing/support/held_file.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

class Closing : public DataTest {
 protected:
  static constexpr uint32_t kInFlight = 8;

  // Reads of an empty pipe, with user_data 0 to kInFlight - 1.
  void SubmitPipeReads(const Pipe& pipe) {
    std::vector<mooring_op_t> reads;
    for (uint64_t i = 0; i < kInFlight; ++i) {
      reads.push_back(WithUserData(ReadStream(pipe.read_fd(), At(i * kBufferBytes), 512), i));
    }
    Submit(ring_, reads);
  }
};

CONFORMANCE_TEST(Closing, Rule3CompletesEveryOperationInFlightOnce, kAnywhere) {
  const Pipe pipe;
  SubmitPipeReads(pipe);
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));

  std::set<uint64_t> seen;
  for (const mooring_completion_t& completion : Reap(ring_, kInFlight)) {
    EXPECT_EQ(completion.result, -ECANCELED);
    EXPECT_TRUE(seen.insert(completion.user_data).second)
        << "completed twice: " << completion.user_data;
  }
  EXPECT_EQ(seen.size(), kInFlight);
  EXPECT_EQ(Stats(ring_).cancelled, kInFlight);

  // The ring is closed and has no more completions: a wait would never end.
  mooring_completion_t completion;
  uint32_t count = 0;
  EXPECT_REFUSED(mooring_ring_reap(ring_.get(), &completion, 1, 1, kPatienceNs, &count),
                 MOORING_CODE_INVALID_STATE, "closed");
}

CONFORMANCE_TEST(Closing, KeepsEarlierCompletions, kAnywhere) {
  Submit(ring_, {WithUserData(Nop(), 1), WithUserData(Nop(), 2)});
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  const std::vector<mooring_completion_t> completions = Reap(ring_, 2);
  ASSERT_EQ(completions.size(), 2u);
  for (const mooring_completion_t& completion : completions) EXPECT_EQ(completion.result, 0);
}

CONFORMANCE_TEST(Closing, ASecondCloseSucceeds, kAnywhere) {
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  EXPECT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  EXPECT_OK(mooring_ring_close(ring_.get(), 0));
}

CONFORMANCE_TEST(Closing, RefusesNewOperations, kAnywhere) {
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  const mooring_op_t nop = Nop();
  uint32_t accepted = 7;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &nop, 1, &accepted), MOORING_CODE_INVALID_STATE,
                 "closed");
  EXPECT_EQ(accepted, 0u);
  mooring_registration_t* registration = nullptr;
  const mooring_registration_options_t options = RegistrationOptions();
  EXPECT_REFUSED(mooring_registration_create(ring_.get(), slab_.get(), &options, &registration),
                 MOORING_CODE_INVALID_STATE, "closed");
  EXPECT_EQ(registration, nullptr);
  EXPECT_REFUSED(mooring_registration_promote(registration_.get()), MOORING_CODE_INVALID_STATE,
                 "closed");
}

CONFORMANCE_TEST(Closing, TimesOutWhileAnOperationCannotBeCancelledThenSucceeds, kAnywhere) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  const TempDir dir;
  HeldFile file(dir);
  Submit(ring_, {WithUserData(Write(file.fd(), 0, At(0), 512), 77)});
  ASSERT_TRUE(file.WaitForStuckWrite());

  EXPECT_REFUSED(mooring_ring_close(ring_.get(), kQuietNs), MOORING_CODE_TIMEOUT, "1");
  EXPECT_EQ(Stats(ring_).in_flight, 1u);
  // A ring that is being closed accepts no operation, also after a timeout.
  const mooring_op_t nop = Nop();
  uint32_t accepted = 0;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &nop, 1, &accepted), MOORING_CODE_INVALID_STATE);

  file.Release();
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  const std::vector<mooring_completion_t> completions = Reap(ring_, 1);
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].user_data, 77u);
}

CONFORMANCE_TEST(Closing, Rule9DoesNotSpinWhileItWaits, kAnywhere) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  const TempDir dir;
  HeldFile file(dir);
  Submit(ring_, {Write(file.fd(), 0, At(0), 512)});
  ASSERT_TRUE(file.WaitForStuckWrite());
  // A wait for the timeout, which shows that the call does not spin.
  const CpuStopwatch cpu;
  EXPECT_REFUSED(mooring_ring_close(ring_.get(), 300'000'000), MOORING_CODE_TIMEOUT);
  EXPECT_LT(cpu.Elapsed(), std::chrono::milliseconds(150)) << "of 300 ms";
  file.Release();
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  EXPECT_EQ(Reap(ring_, 1).size(), 1u);
}

CONFORMANCE_TEST(Closing, EndsAWaitingReapOfAnotherThread, kAnyThread) {
  const Pipe pipe;
  SubmitPipeReads(pipe);
  uint32_t count = 0;
  std::thread reaper([&] {
    std::vector<mooring_completion_t> completions(kInFlight + 1);
    // One more than will ever arrive: only the close can end this call.
    mooring_error_destroy(mooring_ring_reap(ring_.get(), completions.data(), kInFlight + 1,
                                            kInFlight + 1, 2 * kPatienceNs, &count));
  });
  EXPECT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  reaper.join();
  uint32_t rest = 0;
  std::vector<mooring_completion_t> completions(kInFlight);
  mooring_error_destroy(mooring_ring_reap(ring_.get(), completions.data(), kInFlight, 0, 0, &rest));
  EXPECT_EQ(count + rest, kInFlight);
}

CONFORMANCE_TEST(Closing, LeavesLeasesToTheSlab, kAnywhere) {
  const mooring_lease_t lease = Acquire(slab_);
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), InLease(registration_.get(), lease), 512)});
  ASSERT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
  Reap(ring_, 1);
  EXPECT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_EQ(Info(slab_).leased_count, 0u);
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

}  // namespace
}  // namespace mooring::conformance
