// Multishot operations: what a real kernel does not do on demand.

#include <cerrno>

#include "cpp/ring/testing/core_fixture.h"

namespace mooring {
namespace {

class MultishotTest : public CoreFixture {
 protected:
  MultishotTest() {
    providing_ =
        Registration::Create(table_, slab_, {.policy = Policy::kNever, .provided_buffer_count = 2})
            .value();
  }
  ~MultishotTest() override {
    Cancel(1);
    engine_.CompleteRest();
    Reap();
    providing_.reset();
  }

  static Operation Accept(uint64_t user_data = 1) {
    Operation operation;
    operation.opcode = static_cast<uint16_t>(Opcode::kAcceptMultishot);
    operation.user_data = user_data;
    return operation;
  }
  static Operation Receive(Registration* registration, uint64_t user_data = 1) {
    Operation operation = Accept(user_data);
    operation.opcode = static_cast<uint16_t>(Opcode::kRecvMultishot);
    operation.registration = registration;
    return operation;
  }
  void Cancel(uint64_t user_data) { (void)submitter_.CancelDetached(user_data); }
  const Request& Last() const { return engine_.submitted.back(); }
  void ExpectLast(int64_t result) {
    const std::vector<Completion> completions = Reap();
    ASSERT_EQ(completions.size(), 1u);
    EXPECT_EQ(completions[0].result, result);
    EXPECT_EQ(completions[0].flags, 0u);
    EXPECT_EQ(completer_.in_flight(), 0u);
    EXPECT_FALSE(multishots_.any());
  }
  static uint32_t Buffer(uint32_t id) { return kEventBuffer | id << kEventBufferIdShift; }

  RefPtr<Registration> providing_;
};

TEST_F(MultishotTest, WithoutMultishotInTheKernelEachCompletionTakesARequest) {
  MustSubmit({Accept()});
  EXPECT_NE(Last().flags & kRequestMultishot, 0);
  engine_.Complete(Last().token, -EINVAL);
  EXPECT_TRUE(Reap().empty());
  submitter_.Resume();
  ASSERT_EQ(engine_.submitted.size(), 2u);
  EXPECT_EQ(Last().opcode, Opcode::kAccept);
  EXPECT_EQ(Last().flags & kRequestMultishot, 0);
  engine_.Complete(Last().token, 0);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].result, 0) << "descriptor 0 is valid";
  EXPECT_EQ(completions[0].flags, uint32_t{kCompletionMore});
  submitter_.Resume();
  engine_.Complete(Last().token, -EINVAL);
  ExpectLast(-EINVAL);
}

TEST_F(MultishotTest, ARequestThatEndsIsStartedAgain) {
  MustSubmit({Accept()});
  engine_.Complete(Last().token, 5, kEventMore);
  engine_.Complete(Last().token, 6);  // as a kernel does when its completion queue is full
  EXPECT_EQ(Reap().size(), 2u);
  EXPECT_TRUE(multishots_.resume_requested());
  submitter_.Resume();
  EXPECT_FALSE(multishots_.resume_requested());
  ASSERT_EQ(engine_.submitted.size(), 2u);
  EXPECT_NE(Last().flags & kRequestMultishot, 0);
  EXPECT_EQ(core_.counters.multishot_requests.value(), 2u);
}

TEST_F(MultishotTest, AProvidedBufferIsTransferredAndReplaced) {
  ASSERT_EQ(engine_.provided.size(), 2u);
  std::byte* const first = engine_.provided[0];
  MustSubmit({Receive(providing_.get())});
  EXPECT_EQ(Last().provided_group, providing_->provided()->group());
  engine_.Complete(Last().token, 100, kEventMore | Buffer(0));
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  const Lease lease{completions[0].lease_first_index, 1, completions[0].lease_generation};
  EXPECT_EQ(slab_->Data(lease), first);
  EXPECT_NE(engine_.provided[0], first);
  EXPECT_TRUE(slab_->Release(lease).ok());
}

TEST_F(MultishotTest, AReceiverWithoutABufferWaitsUntilOneIsFree) {
  const Lease rest = Acquire(2);
  MustSubmit({Receive(providing_.get())});
  const uint64_t token = Last().token;
  engine_.Complete(token, 1, kEventMore | Buffer(0));
  engine_.Complete(token, 2, kEventMore | Buffer(1));
  engine_.Complete(token, -ENOBUFS);
  EXPECT_EQ(Reap().size(), 2u);
  submitter_.Resume();
  EXPECT_EQ(engine_.submitted.size(), 1u);
  EXPECT_EQ(completer_.in_flight(), 1u);
  EXPECT_EQ(engine_.alerts, 0);
  EXPECT_TRUE(slab_->Release(rest).ok());
  EXPECT_EQ(engine_.alerts, 1);
  submitter_.Resume();
  ASSERT_EQ(engine_.submitted.size(), 2u);
  EXPECT_EQ(Last().opcode, Opcode::kRecv);
}

TEST_F(MultishotTest, AReceiverThatWaitsForABufferEndsWhenCancelled) {
  const Lease rest = Acquire(2);
  MustSubmit({Receive(registration_.get())});
  EXPECT_TRUE(engine_.submitted.empty());
  EXPECT_EQ(completer_.in_flight(), 1u);
  Cancel(1);
  ASSERT_EQ(engine_.submitted.size(), 1u);
  EXPECT_EQ(Last().opcode, Opcode::kNop);
  engine_.Complete(Last().token, 0);
  ExpectLast(-ECANCELED);
  EXPECT_TRUE(slab_->Release(rest).ok());
}

TEST_F(MultishotTest, AnOperationThatContinuesIsCancelledAgain) {
  MustSubmit({Accept()});
  const uint64_t token = Last().token;
  Cancel(1);
  EXPECT_EQ(Last().opcode, Opcode::kCancel);
  engine_.Complete(kDetachedToken, -EALREADY);
  engine_.Complete(token, 5, kEventMore);
  EXPECT_EQ(Reap().size(), 1u);
  submitter_.Resume();
  ASSERT_EQ(engine_.submitted.size(), 3u);
  EXPECT_EQ(Last().opcode, Opcode::kCancel);
  EXPECT_EQ(Last().size64, token);
  engine_.Complete(kDetachedToken, 0);
  engine_.Complete(token, -ECANCELED);
  ExpectLast(-ECANCELED);
}

TEST_F(MultishotTest, AnIdleOperationEndsWhenCancelled) {
  MustSubmit({Accept()});
  engine_.Complete(Last().token, 5);
  EXPECT_EQ(Reap().size(), 1u);
  Cancel(1);
  EXPECT_EQ(Last().opcode, Opcode::kNop);
  engine_.Complete(Last().token, 0);
  ExpectLast(-ECANCELED);
}

TEST_F(MultishotTest, MoreCompletionsThanRecordsAreKeptForTheCaller) {
  MustSubmit({Accept()});
  constexpr int kMany = 5 * kRecords;
  for (int fd = 0; fd < kMany; ++fd) engine_.Complete(Last().token, 1000 + fd, kEventMore);
  completer_.ReapIntoBacklog(Deadline());
  EXPECT_EQ(completer_.backlog_count(), uint32_t{kMany});
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), size_t{kMany});
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(completions[i].result, 1000 + i);
  EXPECT_EQ(core_.counters.completed.value(), 0u);
  EXPECT_EQ(core_.counters.multishot_completed.value(), uint64_t{kMany});
}

TEST_F(MultishotTest, LeasesInTheBacklogAreReleasedWithTheRing) {
  MustSubmit({Receive(providing_.get(), 2)});
  const uint64_t token = Last().token;
  {
    Completer completer(core_);
    engine_.Complete(token, 1, kEventMore | Buffer(0));
    engine_.Complete(token, -ECONNRESET);
    completer.ReapIntoBacklog(Deadline());
    EXPECT_EQ(completer.backlog_count(), 2u);
    EXPECT_EQ(slab_->Info().leased_count, 3u) << "two for the kernel, and the one that was filled";
  }
  EXPECT_EQ(slab_->Info().leased_count, 2u);
}

TEST_F(MultishotTest, AFailedProvidedRingIsReportedAndReplacedByRequests) {
  engine_.refuse_provided_with = ENOMEM;
  const RefPtr<Registration> registration =
      Registration::Create(table_, slab_, {.policy = Policy::kNever, .provided_buffer_count = 2})
          .value();
  EXPECT_EQ(registration->provided(), nullptr);
  EXPECT_EQ(registration->provided_error(), ENOMEM);
  MustSubmit({Receive(registration.get())});
  EXPECT_EQ(Last().flags & kRequestMultishot, 0);
  EXPECT_EQ(Last().size64, uint64_t{kBuffer});
}

}  // namespace
}  // namespace mooring
