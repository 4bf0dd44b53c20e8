#include "testing/random/batch.h"

#include <poll.h>

#include <algorithm>

#include "testing/random/landing.h"
#include "testing/support/pattern.h"

namespace mooring::workload {

using conformance::Place;

Flight* Batch::Add(mooring_op_t operation, Aim aim) {
  Flight* const flight = flights_.Take();
  if (flight == nullptr) return nullptr;
  flight->opcode = operation.opcode;
  flight->aim = aim;
  operation.user_data = flight->user_data;
  operations_.push_back(operation);
  launched_.push_back(flight);
  return flight;
}

Place Batch::PlaceOf(const Ground& ground) {
  switch (ground.naming) {
    case Naming::kLease:
      return conformance::InLease(ground.registration->handle.get(), ground.lease->lease,
                                  ground.used);
    case Naming::kSlab:
      return conformance::InSlab(ground.registration->handle.get(),
                                 ground.lease->slab_offset + ground.used);
    case Naming::kAddress:
      break;
  }
  return conformance::AtAddress(ground.lease->data + ground.used);
}

Flight* Batch::AddTransfer(mooring_op_t operation, Aim aim, uint64_t size, Ground& ground) {
  const Place place = PlaceOf(ground);
  operation.registration = place.registration;
  operation.lease_first_index = place.first_index;
  operation.lease_generation = place.generation;
  operation.offset = place.offset;
  operation.size = size;
  Flight* const flight = Add(operation, aim);
  if (flight == nullptr) return nullptr;
  const bool is_file =
      operation.opcode == MOORING_OPCODE_READ || operation.opcode == MOORING_OPCODE_WRITE;
  const bool is_named = ground.naming != Naming::kAddress;
  flight->is_checked = !ground.is_released_early;
  const uint64_t end = ground.lease->slab_offset + ground.used + size;
  flight->must_be_fixed = is_file && is_named && end <= ground.registration->fixed_bytes;
  flight->must_be_copied =
      operation.opcode == MOORING_OPCODE_RECV || !is_named || ground.registration->is_never;
  flight->size = size;
  flight->file_offset = operation.file_offset;
  flight->bytes = ground.lease->data + ground.used;
  flight->arena = ground.arena;
  flight->lease = ground.lease;
  ground.lease->users.fetch_add(1);
  ground.lease->is_unheld |= ground.naming != Naming::kLease;
  ground.used += size;
  return flight;
}

bool Batch::AddNop() { return Add(conformance::Nop(), Aim::kNothing) != nullptr; }

bool Batch::AddFsync(int fd) { return Add(conformance::Fsync(fd), Aim::kNothing) != nullptr; }

bool Batch::AddTimeout(uint64_t nanoseconds, Aim aim) {
  return Add(conformance::Timeout(nanoseconds), aim) != nullptr;
}

bool Batch::AddPoll(int fd) { return Add(conformance::Poll(fd, POLLIN), Aim::kEndless) != nullptr; }

bool Batch::AddCancel(uint64_t user_data) {
  return Add(conformance::Cancel(user_data), Aim::kCancel) != nullptr;
}

bool Batch::AddPatternRead(int fd, mooring_operation_flags_t flags, Decisions& decisions,
                           Ground& ground) {
  const uint64_t offset = decisions.Below(kPatternFileBytes);
  const uint64_t most = std::min(ground.left(), kPatternFileBytes - offset);
  if (most == 0) return false;
  const uint64_t size = decisions.Between(1, most);
  mooring_op_t operation = conformance::Read(fd, offset, Place{}, 0);
  operation.flags = flags;
  Flight* const flight = AddTransfer(operation, Aim::kPattern, size, ground);
  if (flight != nullptr) flight->seed = kPatternSeed;
  return flight != nullptr;
}

bool Batch::AddWrite(int fd, uint64_t file_offset, Block& block, uint64_t seed, uint64_t size,
                     Ground& ground) {
  conformance::FillPattern(ground.lease->data + ground.used, seed, file_offset, size);
  Flight* const flight =
      AddTransfer(conformance::Write(fd, file_offset, Place{}, 0), Aim::kWrite, size, ground);
  if (flight == nullptr) return false;
  flight->seed = seed;
  flight->block = &block;
  block.is_busy.store(true);
  return true;
}

bool Batch::AddReadBack(int fd, uint64_t file_offset, Block& block, Ground& ground) {
  const uint64_t size = std::min(block.size, ground.left());
  if (size == 0) return false;
  Flight* const flight =
      AddTransfer(conformance::Read(fd, file_offset, Place{}, 0), Aim::kReadBack, size, ground);
  if (flight == nullptr) return false;
  flight->seed = block.seed;
  flight->block = &block;
  block.is_busy.store(true);
  return true;
}

bool Batch::AddSend(Channel& channel, mooring_send_t kind, uint64_t size, Ground& ground) {
  conformance::FillPattern(ground.lease->data + ground.used, channel.seed(), channel.sent, size);
  const bool is_pipe = channel.kind() == ChannelKind::kPipe;
  Flight* const flight =
      AddTransfer(is_pipe ? conformance::WriteStream(channel.sender(), Place{}, 0)
                          : conformance::Send(channel.sender(), Place{}, 0, 0, kind),
                  Aim::kSend, size, ground);
  if (flight == nullptr) return false;
  flight->channel = &channel;
  channel.sending.store(true);
  return true;
}

bool Batch::AddReceive(Channel& channel, int message_flags, uint64_t size, Ground& ground) {
  const bool is_pipe = channel.kind() == ChannelKind::kPipe;
  Flight* const flight =
      AddTransfer(is_pipe ? conformance::ReadStream(channel.receiver(), Place{}, 0)
                          : conformance::Recv(channel.receiver(), Place{}, 0, message_flags),
                  Aim::kReceive, size, ground);
  if (flight == nullptr) return false;
  flight->channel = &channel;
  flight->seed = channel.seed();
  flight->file_offset = channel.received;
  channel.receiving.store(true);
  return true;
}

void Batch::DrainLast() {
  operations_.back().flags |= MOORING_OPERATION_DRAIN;
  launched_.back()->flags |= MOORING_OPERATION_DRAIN;
}

bool Batch::AddRepeatedReceive(Channel& channel, Arena& arena, NamedSlab& registration) {
  Flight* const flight =
      Add(conformance::RecvMultishot(channel.receiver(), registration.handle.get()), Aim::kRepeat);
  if (flight == nullptr) return false;
  flight->channel = &channel;
  flight->arena = &arena;
  channel.receiving.store(true);
  return true;
}

void Batch::Link() {
  for (size_t i = 0; i + 1 < operations_.size(); ++i) {
    operations_[i].flags |= MOORING_OPERATION_LINK;
    launched_[i]->flags |= MOORING_OPERATION_LINK;
    // Operations after a short one are cancelled.
    launched_[i + 1]->may_be_cancelled.store(true);
  }
}

void Batch::Recall(uint32_t accepted) {
  for (size_t i = accepted; i < launched_.size(); ++i) {
    Flight& flight = *launched_[i];
    if (flight.block != nullptr) flight.block->is_busy.store(false);
    if (flight.channel != nullptr) {
      (flight.aim == Aim::kSend ? flight.channel->sending : flight.channel->receiving).store(false);
    }
    if (flight.lease != nullptr) flight.lease->users.fetch_sub(1);
    flights_.Land(flight);
  }
  launched_.resize(accepted);
  operations_.resize(accepted);
}

}  // namespace mooring::workload
