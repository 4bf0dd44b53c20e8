// The steps of a ring: each submits, cancels, registers or checks.
#include <sys/socket.h>

#include <algorithm>
#include <cinttypes>
#include <functional>
#include <span>

#include "testing/random/invariant.h"
#include "testing/random/ring_life.h"
#include "testing/support/operations.h"

namespace mooring::workload {
namespace {

constexpr uint64_t kSendBytesMax = 24 * 1024;

}  // namespace

void RingLife::StepOnce() {
  constexpr uint32_t kWeights[] = {40, 25, 5, 8, 14, 2, 4, 1, 3};
  constexpr void (RingLife::*kSteps[])() = {
      &RingLife::StepFiles,   &RingLife::StepChannel, &RingLife::StepRepeat,
      &RingLife::StepWaiting, &RingLife::StepCancel,  &RingLife::StepStaleLease,
      &RingLife::StepLook,    &RingLife::StepGrow,    nullptr,
  };
  const size_t step = decisions_.Weighted(kWeights);
  if (kSteps[step] != nullptr) return std::invoke(kSteps[step], this);
  Register(decisions_.Below(registrations_.size()));
  episode_.tally().Add(Step::kRegistrationReplaced);
}

// A lease for a batch; false when the slab has none.
bool RingLife::FindGround(Ground& ground) {
  const size_t index = decisions_.Below(episode_.arenas.size());
  ground.arena = episode_.arenas[index].get();
  ground.registration = registrations_[index].get();
  ground.lease = ground.arena->Acquire(static_cast<uint32_t>(decisions_.Between(1, 4)));
  if (ground.lease == nullptr) return false;
  constexpr uint32_t kWeights[] = {60, 20, 20};
  ground.naming = static_cast<Naming>(decisions_.Weighted(kWeights));
  // The caller must keep memory named by address until the completion, which never comes for a ring
  // destroyed in flight.
  if (ending_ == Ending::kInFlight && ground.naming == Naming::kAddress) {
    ground.naming = Naming::kLease;
  }
  ground.is_released_early = ground.naming == Naming::kLease && decisions_.Chance(30);
  return true;
}

Block* RingLife::FreeBlock(uint64_t& offset) {
  const size_t index = decisions_.Below(blocks_.size());
  offset = index * kBlockBytes;
  return blocks_[index].is_busy.load(std::memory_order_acquire) ? nullptr : &blocks_[index];
}

bool RingLife::AddFileOperation(Batch& batch, Ground& ground) {
  if (ground.left() == 0) return false;
  uint64_t offset = 0;
  switch (decisions_.Below(5)) {
    case 0:
      if (Block* block = FreeBlock(offset)) {
        const uint64_t size = decisions_.Between(1, std::min(ground.left(), kBlockBytes));
        return batch.AddWrite(file_.get(), offset, *block, ++write_count_, size, ground);
      }
      return true;
    case 1:
      if (Block* block = FreeBlock(offset); block != nullptr && block->size > 0) {
        return batch.AddReadBack(file_.get(), offset, *block, ground);
      }
      return true;
    case 2:
      return decisions_.Chance(80) ? batch.AddNop() : batch.AddFsync(file_.get());
    default:
      if (has_fixed_file_ && decisions_.Chance(50)) {
        return batch.AddPatternRead(0, MOORING_OPERATION_FIXED_FILE, decisions_, ground);
      }
      return batch.AddPatternRead(episode_.surroundings.pattern_fd, 0, decisions_, ground);
  }
}

void RingLife::Launch(Batch& batch, Ground& ground) {
  // Held for this call, so that no completion releases it during the call.
  ground.lease->users.fetch_add(1);
  Submit(batch);
  const bool has_users = ground.lease->users.fetch_sub(1) > 1;
  if (!has_users) {
    ground.arena->Release(*ground.lease);
  } else if (ground.is_released_early && decisions_.Chance(50)) {
    ground.arena->Release(*ground.lease);
  } else if (ground.is_released_early) {
    episode_.errands.Push([arena = ground.arena, lease = ground.lease] { arena->Release(*lease); });
  }
}

void RingLife::StepFiles() {
  Ground ground;
  if (!FindGround(ground)) return;
  Batch batch(flights_);
  for (uint64_t left = decisions_.Between(1, 4); left > 0; --left) {
    if (!AddFileOperation(batch, ground)) break;
  }
  // Longer than the submission queue is refused.
  if (decisions_.Chance(20)) batch.Link();
  // Not with a ring that is destroyed in flight: operations held back by a drain may never complete
  // there (6.18), and keep their memory.
  const bool drains = decisions_.Chance(4) && ending_ != Ending::kInFlight;
  if (!batch.operations().empty() && drains) batch.DrainLast();
  Launch(batch, ground);
}

void RingLife::StepChannel() {
  Channel& channel = *channels_[decisions_.Below(channels_.size())];
  const bool sends = decisions_.Chance(50);
  if ((sends ? channel.sending : channel.receiving).load(std::memory_order_acquire)) return;
  Ground ground;
  if (!FindGround(ground)) return;
  const uint64_t size = decisions_.Between(1, std::min(ground.left(), kSendBytesMax));
  Batch batch(flights_);
  if (sends) {
    batch.AddSend(channel, decisions_.Chance(70) ? MOORING_SEND_AUTO : MOORING_SEND_COPY, size,
                  ground);
  } else {
    batch.AddReceive(channel, decisions_.Chance(20) ? MSG_WAITALL : 0, size, ground);
  }
  Launch(batch, ground);
}

void RingLife::StepRepeat() {
  Channel& channel = *channels_[decisions_.Below(channels_.size())];
  if (channel.kind() == ChannelKind::kPipe) return;
  if (channel.receiving.load(std::memory_order_acquire)) return;
  const size_t index = decisions_.Below(episode_.arenas.size());
  Batch batch(flights_);
  batch.AddRepeatedReceive(channel, *episode_.arenas[index], *registrations_[index]);
  Submit(batch);
}

void RingLife::StepWaiting() {
  Batch batch(flights_);
  switch (decisions_.Below(3)) {
    case 0:
      batch.AddTimeout(decisions_.Below(2'000'000), Aim::kTimeout);
      break;
    case 1:
      batch.AddTimeout(3'600'000'000'000, Aim::kEndless);
      break;
    default:
      batch.AddPoll(quiet_read_end_.get());
  }
  Submit(batch);
}

Flight* RingLife::PickFlight() {
  Flight* picked = nullptr;
  uint64_t seen = 0;
  flights_.ForEach([&](Flight& flight) {
    if (flight.aim != Aim::kCancel && decisions_.Below(++seen) == 0) picked = &flight;
  });
  return picked;
}

void RingLife::StepCancel() {
  Flight* const flight = PickFlight();
  if (flight == nullptr) return;
  flight->may_be_cancelled.store(true);
  // Later operations of its chain are cancelled too; Link() has allowed that.
  episode_.tally().Add(Step::kCancellation);
  if (decisions_.Chance(40)) {
    Batch batch(flights_);
    if (batch.AddCancel(flight->user_data)) Submit(batch);
    return;
  }
  uint32_t count = 0;
  const mooring_code_t code = CodeOf(mooring_ring_cancel(ring_.get(), flight->user_data, &count));
  INVARIANT((code == MOORING_CODE_OK && count == 1) || code == MOORING_CODE_NOT_FOUND ||
                code == MOORING_CODE_EXHAUSTED,
            "cancel gave %s, of %u", mooring_code_name(code), count);
}

void RingLife::StepStaleLease() {
  const size_t index = decisions_.Below(episode_.arenas.size());
  Arena& arena = *episode_.arenas[index];
  const SharedLease use = arena.Acquire(1);
  if (use == nullptr) return;
  arena.Release(*use);
  const mooring_op_t operation =
      conformance::Read(episode_.surroundings.pattern_fd, 0,
                        conformance::InLease(registrations_[index]->handle.get(), use->lease), 512);
  uint32_t accepted = 0;
  const mooring_code_t code = CodeOf(mooring_ring_submit(ring_.get(), &operation, 1, &accepted));
  // If every record is in flight, the operation is not checked.
  INVARIANT(accepted == 0 && (code == MOORING_CODE_INVALID_STATE || code == MOORING_CODE_OK),
            "a read into a lease that was released: %s, %u accepted", mooring_code_name(code),
            accepted);
  INVARIANT(CodeOf(mooring_slab_release(arena.slab(), use->lease)) == MOORING_CODE_INVALID_STATE,
            "generation %u was released twice", use->lease.generation);
  if (code != MOORING_CODE_OK) episode_.tally().Add(Step::kStaleLeaseRefused);
}

void RingLife::StepLook() {
  mooring_ring_stats_t stats{.struct_size = sizeof(stats)};
  MUST(mooring_ring_get_stats(ring_.get(), &stats));
  INVARIANT(stats.completed <= stats.submitted && stats.in_flight <= in_flight_max_,
            "%" PRIu64 " submitted, %" PRIu64 " completed, %" PRIu64 " in flight", stats.submitted,
            stats.completed, stats.in_flight);
  for (const SharedRegistration& registration : registrations_) {
    mooring_registration_info_t info{.struct_size = sizeof(info)};
    MUST(mooring_registration_get_info(registration->handle.get(), &info));
    INVARIANT(info.bytes_fixed >= registration->fixed_bytes,
              "%" PRIu64 " bytes are fixed, of %" PRIu64 " that were", info.bytes_fixed,
              registration->fixed_bytes);
  }
}

void RingLife::StepGrow() {
  episode_.arenas[decisions_.Below(episode_.arenas.size())]->Grow(decisions_);
}

void RingLife::SubmitAndReap(Batch& batch, uint32_t& accepted) {
  const std::vector<mooring_op_t>& operations = batch.operations();
  std::array<mooring_completion_t, 8> completions;
  uint32_t count = 0;
  MUST(mooring_ring_submit_and_reap(ring_.get(), operations.data(),
                                    static_cast<uint32_t>(operations.size()), &accepted,
                                    completions.data(), static_cast<uint32_t>(completions.size()),
                                    static_cast<uint32_t>(decisions_.Below(3)),
                                    static_cast<int64_t>(decisions_.Below(500'000)), &count));
  batch.Recall(accepted);
  for (const mooring_completion_t& completion : std::span(completions).first(count)) {
    landing_.Land(completion);
  }
}

void RingLife::Submit(Batch& batch) {
  const auto offered = static_cast<uint32_t>(batch.operations().size());
  const uint32_t before = flights_.InFlight() - offered;
  if (offered == 0) return;
  uint32_t accepted = 0;
  if (is_owned_ && decisions_.Chance(60)) {
    SubmitAndReap(batch, accepted);
  } else {
    MUST(mooring_ring_submit(ring_.get(), batch.operations().data(), offered, &accepted));
    batch.Recall(accepted);
    if (is_owned_ && decisions_.Chance(50)) ReapOnce(decisions_);
  }
  INVARIANT(accepted <= offered, "%u of %u accepted", accepted, offered);
  // No other thread reaps, so the number in flight is known, except for cancellations.
  if (is_owned_ && accepted < offered) {
    const uint32_t opcode = batch.operations()[accepted].opcode;
    INVARIANT(before + offered > in_flight_max_ || opcode == MOORING_OPCODE_CANCEL,
              "%u of %u accepted with %u of %u in flight, then opcode %u", accepted, offered,
              before, in_flight_max_, opcode);
  }
}

}  // namespace mooring::workload
