#include "cpp/ring/submitter.h"

#include <sys/socket.h>

#include "cpp/ring/operation_errors.h"
#include "cpp/ring/testing/core_fixture.h"

namespace mooring {
namespace {

using SubmitterTest = CoreFixture;

TEST_F(SubmitterTest, ALeaseUsesTheFixedPathAtItsOffsetInTheSlab) {
  Acquire();
  const Lease lease = Acquire(2);
  Operation read = Read(lease, 100);
  read.offset = kBuffer;
  MustSubmit({read});
  const Request& request = engine_.submitted.at(0);
  EXPECT_EQ(request.address, slab_->base() + 2 * kBuffer);
  EXPECT_EQ(request.size64, 100u);
  EXPECT_GE(request.buffer_slot, 0);
}

TEST_F(SubmitterTest, GenerationZeroCountsFromTheSlab) {
  Operation read = Read({}, kBuffer);
  read.offset = 3 * kBuffer;
  MustSubmit({read});
  EXPECT_EQ(engine_.submitted.at(0).address, slab_->base() + 3 * kBuffer);
  read.offset = 3 * kBuffer + 1;
  uint32_t accepted = 0;
  EXPECT_EQ(Submit({read}, &accepted).message(), kOutOfBounds.message);
  EXPECT_EQ(accepted, 0u);
}

TEST_F(SubmitterTest, ACancelIsRefusedAtEveryPlaceOfAChain) {
  Operation cancel = Nop(2);
  cancel.opcode = static_cast<uint16_t>(Opcode::kCancel);
  Operation linked_cancel = cancel;
  linked_cancel.flags = kRequestLink;
  for (const std::vector<Operation>& chain :
       {std::vector{Nop(1, kRequestLink), cancel}, {linked_cancel, Nop(1)}}) {
    uint32_t accepted = 7;
    EXPECT_STREQ(Submit(chain, &accepted).message(), kCancelInChain.message);
    EXPECT_EQ(accepted, 0u);
  }
  EXPECT_TRUE(engine_.submitted.empty());
  EXPECT_EQ(records_.FreeCountNow(), kRecords);
}

TEST_F(SubmitterTest, AnAddressUsesTheCopyPath) {
  char byte = 0;
  Operation read;
  read.opcode = static_cast<uint16_t>(Opcode::kRead);
  read.offset = reinterpret_cast<uint64_t>(&byte);
  read.size = 1;
  MustSubmit({read});
  EXPECT_EQ(engine_.submitted.at(0).address, &byte);
  EXPECT_EQ(engine_.submitted.at(0).buffer_slot, kNoBufferSlot);
}

TEST_F(SubmitterTest, AWrongOperationIsRefusedAndEarlierOnesAreKept) {
  const Lease lease = Acquire();
  Operation too_large = Read(lease, kTransferBytesMax + 1);
  Operation out_of_lease = Read(lease, kBuffer + 1);
  Operation wraps = Read(lease, 2);
  wraps.offset = UINT64_MAX;
  Operation stale = Read(Lease{lease.first_index, 1, lease.generation + 1, 0}, 1);
  Operation unknown = Nop(0);
  unknown.opcode = kOpcodeCount;
  Operation flags = Nop(0, 1u << 15);
  Operation parameter = Read(lease, 1);
  parameter.parameter = 1;
  Operation registered_nop = Nop(0);
  registered_nop.registration = registration_.get();
  Operation lost_lease = Read(lease, 1);
  lost_lease.registration = nullptr;
  const std::pair<Operation, const char*> cases[] = {
      {too_large, kTooLarge.message},
      {out_of_lease, kOutOfBounds.message},
      {wraps, kOutOfBounds.message},
      {stale, kStaleLease.message},
      {unknown, kUnknownOpcode.message},
      {flags, kUnknownFlags.message},
      {parameter, kUnusedField.message},
      {registered_nop, kNotRegistrable.message},
      {lost_lease, kLeaseWithoutRegistration.message},
  };
  uint64_t started = 0;
  for (const auto& [operation, message] : cases) {
    uint32_t accepted = 0;
    const Status status = Submit({Nop(1), operation, Nop(2)}, &accepted);
    EXPECT_STREQ(status.message(), message);
    EXPECT_STRNE(status.remedy(), "");
    EXPECT_EQ(accepted, 1u) << message;
    EXPECT_EQ(engine_.submitted.size(), ++started);
    engine_.Complete(engine_.submitted.back().token, 0);
    EXPECT_EQ(Reap().size(), 1u);
  }
  EXPECT_EQ(records_.FreeCountNow(), kRecords);
  EXPECT_EQ(registration_->RefCount(), 1u);
  // Nothing holds the lease, so it is released immediately.
  ASSERT_TRUE(slab_->Release(lease).ok());
  EXPECT_EQ(slab_->Info().leased_count, 0u);
}

TEST_F(SubmitterTest, ALinkedReceiveWaitsForAllItsBytes) {
  Operation receive = Read({}, 100);
  receive.opcode = static_cast<uint16_t>(Opcode::kRecv);
  receive.parameter = MSG_TRUNC;
  Operation linked = receive;
  linked.flags = kRequestLink;
  MustSubmit({receive, linked, Nop(1)});
  EXPECT_EQ(engine_.submitted.at(0).parameter, uint64_t{MSG_TRUNC});
  EXPECT_EQ(engine_.submitted.at(1).parameter, uint64_t{MSG_TRUNC | MSG_WAITALL});
  EXPECT_EQ(engine_.submitted.at(0).buffer_slot, kNoBufferSlot);
  EXPECT_EQ(engine_.submitted.at(0).address, slab_->base());
  linked.parameter = MSG_PEEK;
  uint32_t accepted = 0;
  EXPECT_STREQ(Submit({linked, Nop(1)}, &accepted).message(), kBadMessageFlags.message);
}

TEST_F(SubmitterTest, ZeroCopyIsRefusedIfTheEngineHasNone) {
  const Lease lease = Acquire();
  Operation send = Read(lease, 100);
  send.opcode = static_cast<uint16_t>(Opcode::kSend);
  MustSubmit({send});
  EXPECT_EQ(engine_.submitted.at(0).buffer_slot, kNoBufferSlot);
  send.parameter = static_cast<uint64_t>(SendKind::kZeroCopy) << 32 | MSG_MORE;
  uint32_t accepted = 0;
  EXPECT_STREQ(Submit({send}, &accepted).message(), kNoZeroCopy.message);
  EXPECT_EQ(registration_->RefCount(), 2u) << "held by the first send";
  EXPECT_EQ(records_.FreeCountNow(), kRecords - 1);
  engine_.mutable_info().features |= kFeatureSendZeroCopy;
  MustSubmit({send});
  EXPECT_GE(engine_.submitted.at(1).buffer_slot, 0);
  EXPECT_EQ(engine_.submitted.at(1).parameter, uint64_t{MSG_MORE});
  send.parameter = static_cast<uint64_t>(SendKind::kCopy) << 32;
  MustSubmit({send});
  EXPECT_EQ(engine_.submitted.at(2).buffer_slot, kNoBufferSlot);
  // AUTO uses zero-copy only on TCP and UDP sockets.
  send.parameter = 0;
  send.size = kBuffer;
  MustSubmit({send});
  EXPECT_EQ(engine_.submitted.at(3).buffer_slot, kNoBufferSlot);
  send.parameter = uint64_t{3} << 32;
  EXPECT_STREQ(Submit({send}, &accepted).message(), kBadMessageFlags.message);
}

TEST_F(SubmitterTest, ARegistrationOfAnotherRingIsRefused) {
  FakeEngine other_engine;
  RefPtr<BufferTable> other = MakeRef<BufferTable>(&other_engine);
  RefPtr<Registration> foreign = Registration::Create(other, slab_, {}).value();
  Operation read = Read({}, 1);
  read.registration = foreign.get();
  uint32_t accepted = 0;
  EXPECT_STREQ(Submit({read}, &accepted).message(), kForeignRegistration.message);
  foreign.reset();
  other->Detach();
}

TEST_F(SubmitterTest, StopsWithoutAnErrorWhenAllRecordsAreInFlight) {
  std::vector<Operation> nops(kRecords + 3);
  uint32_t accepted = 0;
  EXPECT_TRUE(Submit(nops, &accepted).ok());
  EXPECT_EQ(accepted, kRecords);
  engine_.Complete(engine_.submitted[0].token, 0);
  EXPECT_EQ(Reap().size(), 1u);
  EXPECT_TRUE(Submit({Nop(0), Nop(0)}, &accepted).ok());
  EXPECT_EQ(accepted, 1u);
}

TEST_F(SubmitterTest, AChainIsAcceptedWholeOrNotAtAll) {
  uint32_t accepted = 0;
  // Six are in flight, so a chain of three does not fit.
  EXPECT_TRUE(Submit(std::vector<Operation>(6), &accepted).ok());
  const std::vector<Operation> chain = {Nop(1, kRequestLink), Nop(2, kRequestLink), Nop(3)};
  EXPECT_TRUE(Submit(chain, &accepted).ok());
  EXPECT_EQ(accepted, 0u);
  EXPECT_EQ(engine_.submitted.size(), 6u);
  EXPECT_STREQ(Submit({Nop(1, kRequestLink)}, &accepted).message(), kOpenChain.message);
  std::vector<Operation> longer(kRecords + 1, Nop(0, kRequestLink));
  longer.back().flags = 0;
  EXPECT_STREQ(Submit(longer, &accepted).message(), kLongChain.message);
}

TEST_F(SubmitterTest, ABadOperationUnstagesItsWholeChain) {
  const Lease lease = Acquire();
  Operation first = Read(lease, 10);
  first.flags = kRequestLink;
  uint32_t accepted = 0;
  EXPECT_STREQ(Submit({Nop(0), first, Read(lease, kBuffer + 1)}, &accepted).message(),
               kOutOfBounds.message);
  EXPECT_EQ(accepted, 1u);
  EXPECT_EQ(engine_.submitted.size(), 1u);
  EXPECT_EQ(registration_->RefCount(), 1u);
  ASSERT_TRUE(slab_->Release(lease).ok());
  EXPECT_EQ(slab_->Info().leased_count, 0u);
}

TEST_F(SubmitterTest, UnstagedChainsDropReferencesToEachRegistration) {
  RefPtr<Registration> second = Registration::Create(table_, slab_, {}).value();
  Operation a = Read({}, 1);
  a.flags = kRequestLink;
  Operation b = a;
  b.registration = second.get();
  uint32_t accepted = 0;
  EXPECT_FALSE(Submit({a, b, Read({}, kBuffer * 5)}, &accepted).ok());
  EXPECT_EQ(registration_->RefCount(), 1u);
  EXPECT_EQ(second->RefCount(), 1u);
}

}  // namespace
}  // namespace mooring
