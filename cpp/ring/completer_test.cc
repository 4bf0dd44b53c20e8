#include "cpp/ring/completer.h"

#include <cerrno>

#include "cpp/ring/testing/core_fixture.h"

namespace mooring {
namespace {

using CompleterTest = CoreFixture;

TEST_F(CompleterTest, ReportsBytesPathEndOfFileAndShort) {
  MustSubmit({Read({}, 100, 1), Read({}, 100, 2), Read({}, 100, 3), Read({}, 0, 4)});
  const int32_t results[] = {100, 40, 0, 0};
  for (int i = 0; i < 4; ++i) engine_.Complete(engine_.submitted[i].token, results[i]);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 4u);
  EXPECT_EQ(completions[0].user_data, 1u);
  EXPECT_EQ(completions[0].result, 100);
  EXPECT_EQ(completions[0].flags, 0u);
  EXPECT_EQ(completions[0].path, Path::kFixed);
  EXPECT_EQ(completions[1].flags, uint32_t{kCompletionShort});
  EXPECT_EQ(completions[2].flags, uint32_t{kCompletionShort | kCompletionEndOfFile});
  EXPECT_EQ(completions[3].flags, 0u);
  EXPECT_EQ(core_.counters.read_fixed.value(), 4u);
  EXPECT_EQ(core_.counters.read.value(), 0u);
  EXPECT_EQ(core_.counters.read_bytes.value(), 140u);
  EXPECT_EQ(core_.counters.short_count.value(), 2u);
}

TEST_F(CompleterTest, CountsSendsAndReceivesSeparately) {
  Operation send = Read({}, 100, 1);
  send.opcode = static_cast<uint16_t>(Opcode::kSend);
  Operation receive = Read({}, 100, 2);
  receive.opcode = static_cast<uint16_t>(Opcode::kRecv);
  MustSubmit({send, receive, receive, receive});
  const int32_t results[] = {60, 0, 300, -ECONNRESET};
  for (int i = 0; i < 4; ++i) engine_.Complete(engine_.submitted[i].token, results[i]);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 4u);
  for (const Completion& completion : completions) EXPECT_EQ(completion.path, Path::kCopy);
  EXPECT_EQ(completions[0].flags, uint32_t{kCompletionShort});
  EXPECT_EQ(completions[1].flags, uint32_t{kCompletionShort | kCompletionEndOfFile});
  EXPECT_EQ(completions[2].flags, 0u) << "a truncated datagram, with MSG_TRUNC";
  EXPECT_EQ(completions[3].flags, 0u);
  EXPECT_EQ(core_.counters.send.value(), 1u);
  EXPECT_EQ(core_.counters.recv.value(), 3u);
  EXPECT_EQ(core_.counters.send_bytes.value(), 60u);
  EXPECT_EQ(core_.counters.recv_bytes.value(), 100u);
  EXPECT_EQ(core_.counters.write.value() + core_.counters.write_fixed.value(), 0u);
}

class ZeroCopyCompleterTest : public CoreFixture {
 protected:
  ZeroCopyCompleterTest() { engine_.mutable_info().features |= kFeatureSendZeroCopy; }

  // A zero-copy send from this lease; returns its token.
  uint64_t Send(const Lease& lease, uint64_t size = 100) {
    Operation send = Read(lease, size);
    send.opcode = static_cast<uint16_t>(Opcode::kSend);
    send.fd = 7;
    send.parameter = static_cast<uint64_t>(SendKind::kZeroCopy) << 32;
    MustSubmit({send});
    EXPECT_GE(engine_.submitted.back().buffer_slot, 0);
    return engine_.submitted.back().token;
  }
  static constexpr int32_t kCopied = static_cast<int32_t>(kNotificationCopied);
};

TEST_F(ZeroCopyCompleterTest, Rule3ResultAndNotificationAreOneCompletion) {
  const Lease lease = Acquire();
  const uint64_t token = Send(lease);
  ASSERT_TRUE(slab_->Release(lease).ok());
  engine_.Complete(token, 60, kEventMore);
  EXPECT_TRUE(Reap().empty());
  EXPECT_EQ(slab_->Info().held_count, 1u) << "the kernel still reads it";
  EXPECT_EQ(completer_.in_flight(), 1u);
  engine_.Complete(token, 0, kEventNotification);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].result, 60);
  EXPECT_EQ(completions[0].flags, uint32_t{kCompletionShort});
  EXPECT_EQ(completions[0].path, Path::kFixed);
  EXPECT_EQ(slab_->Info().held_count, 0u);
  EXPECT_EQ(core_.counters.send_zero_copy.value(), 1u);
  EXPECT_EQ(core_.counters.send.value(), 0u);
}

TEST_F(ZeroCopyCompleterTest, ACopyByTheKernelIsReportedAndRemembered) {
  EXPECT_TRUE(core_.zero_copy.ShouldTry(7));
  const uint64_t token = Send({});
  engine_.Complete(token, 100, kEventMore);
  engine_.Complete(token, kCopied, kEventNotification);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].result, 100);
  EXPECT_EQ(completions[0].path, Path::kCopy);
  EXPECT_EQ(core_.counters.send.value(), 1u);
  EXPECT_EQ(core_.counters.send_copied.value(), 1u);
  for (uint32_t i = 0; i < ZeroCopyHints::kPlainSends; ++i)
    EXPECT_FALSE(core_.zero_copy.ShouldTry(7));
  EXPECT_TRUE(core_.zero_copy.ShouldTry(7));
  EXPECT_TRUE(core_.zero_copy.ShouldTry(8));
}

TEST_F(ZeroCopyCompleterTest, Rule3TheErrorOfTheFirstEventIsNotLost) {
  const uint64_t token = Send({});
  engine_.Complete(token, -ENOTSOCK, kEventMore);
  engine_.Complete(token, kCopied, kEventNotification);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].result, -ENOTSOCK);
  EXPECT_EQ(completions[0].path, Path::kCopy);
  EXPECT_EQ(core_.counters.send_copied.value(), 0u);
  EXPECT_TRUE(core_.zero_copy.ShouldTry(7)) << "it is no information about the socket";
}

TEST_F(ZeroCopyCompleterTest, WithoutANotificationTheFirstEventIsTheLast) {
  const Lease lease = Acquire();
  const uint64_t token = Send(lease);
  ASSERT_TRUE(slab_->Release(lease).ok());
  engine_.Complete(token, -EINVAL);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].result, -EINVAL);
  EXPECT_EQ(completions[0].path, Path::kCopy);
  EXPECT_EQ(slab_->Info().held_count, 0u);
}

TEST_F(ZeroCopyCompleterTest, AReapContinuesPastFirstEvents) {
  const uint64_t first = Send({});
  const uint64_t second = Send({});
  engine_.Complete(first, 100, kEventMore);
  engine_.Complete(second, 100, kEventMore);
  engine_.Complete(second, 0, kEventNotification);
  engine_.Complete(first, 0, kEventNotification);
  Completion one[1];
  EXPECT_EQ(completer_.Reap({}, one, 1, Deadline()), 1u);
  completer_.ReapIntoBacklog(Deadline());
  EXPECT_EQ(completer_.backlog_count(), 1u);
  EXPECT_EQ(Reap().size(), 1u);
}

TEST_F(CompleterTest, Rule2ALeaseReleasedInFlightReturnsAtItsCompletion) {
  const Lease lease = Acquire();
  MustSubmit({Read(lease, 10), Read(lease, 10)});
  ASSERT_TRUE(slab_->Release(lease).ok());
  EXPECT_EQ(slab_->Info().held_count, 1u);
  engine_.Complete(engine_.submitted[0].token, 10);
  Reap();
  EXPECT_EQ(slab_->Info().held_count, 1u);
  engine_.Complete(engine_.submitted[1].token, -EIO);
  Reap();
  EXPECT_EQ(slab_->Info().held_count, 0u);
  EXPECT_EQ(slab_->Info().leased_count, 0u);
}

TEST_F(CompleterTest, ARegistrationDestroyedInFlightIsUnpinnedAfterItsLastOperation) {
  MustSubmit({Read({}, 10), Read({}, 10)});
  registration_.reset();
  engine_.Complete(engine_.submitted[0].token, 10);
  Reap();
  EXPECT_GT(engine_.pinned_bytes(), 0u);
  engine_.Complete(engine_.submitted[1].token, 10);
  Reap();
  EXPECT_EQ(engine_.pinned_bytes(), 0u);
  Reap();  // the tag
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(CompleterTest, ACancelOfManyIsOneCompletion) {
  MustSubmit({Nop(7), Nop(7), Nop(8)});
  Operation cancel;
  cancel.opcode = static_cast<uint16_t>(Opcode::kCancel);
  cancel.offset = 7;
  cancel.user_data = 99;
  MustSubmit({cancel});
  ASSERT_EQ(engine_.submitted.size(), 5u);
  EXPECT_EQ(engine_.submitted[3].size64, engine_.submitted[0].token);
  EXPECT_EQ(engine_.submitted[4].size64, engine_.submitted[1].token);
  engine_.Complete(engine_.submitted[3].token, 0);
  EXPECT_TRUE(Reap().empty());
  engine_.Complete(engine_.submitted[4].token, -EALREADY);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), 1u);
  EXPECT_EQ(completions[0].user_data, 99u);
  EXPECT_EQ(completions[0].result, 2) << "the running one counts, too";
  EXPECT_EQ(core_.cancels.load(), 0u);
}

TEST_F(CompleterTest, ACancelReportsWhenNothingWasFound) {
  Operation cancel;
  cancel.opcode = static_cast<uint16_t>(Opcode::kCancel);
  cancel.offset = 7;
  MustSubmit({cancel});
  engine_.Complete(engine_.submitted[0].token, 0);
  EXPECT_EQ(Reap().at(0).result, -ENOENT);
  MustSubmit({Nop(7), cancel});
  engine_.Complete(engine_.submitted[2].token, -ENOENT);  // it has completed before
  EXPECT_EQ(Reap().at(0).result, -ENOENT);
}

TEST_F(CompleterTest, DetachedCancelsHaveNoCompletion) {
  MustSubmit({Nop(7)});
  EXPECT_EQ(submitter_.CancelDetached(7), 1u);
  EXPECT_EQ(submitter_.CancelDetached(8), 0u);
  engine_.Complete(engine_.submitted[1].token, 0);
  EXPECT_TRUE(Reap().empty());
  engine_.Complete(engine_.submitted[0].token, -ECANCELED);
  EXPECT_EQ(Reap().at(0).result, -ECANCELED);
  EXPECT_EQ(core_.counters.cancelled.value(), 1u);
  EXPECT_EQ(core_.cancels.load(), 0u);
}

TEST_F(CompleterTest, TheBacklogKeepsOrderAndRecords) {
  std::vector<Operation> nops;
  for (uint64_t i = 0; i < kRecords; ++i) nops.push_back(Nop(i));
  MustSubmit(nops);
  for (const Request& request : engine_.submitted) engine_.Complete(request.token, 0);
  completer_.ReapIntoBacklog(Deadline());
  EXPECT_EQ(completer_.backlog_count(), kRecords);
  EXPECT_EQ(completer_.in_flight(), 0u);
  // The records are not returned before the caller has the completions.
  EXPECT_EQ(records_.FreeCountNow(), 0u);
  const std::vector<Completion> completions = Reap();
  ASSERT_EQ(completions.size(), kRecords);
  for (uint64_t i = 0; i < kRecords; ++i) EXPECT_EQ(completions[i].user_data, i);
  EXPECT_EQ(records_.FreeCountNow(), kRecords);
}

TEST_F(CompleterTest, FillsNoMoreThanThereIsRoomFor) {
  MustSubmit({Nop(1), Nop(2), Nop(3)});
  for (const Request& request : engine_.submitted) engine_.Complete(request.token, 0);
  Completion two[2];
  EXPECT_EQ(completer_.Reap({}, two, 1, Deadline()), 2u);
  EXPECT_EQ(Reap().size(), 1u);
}

}  // namespace
}  // namespace mooring
