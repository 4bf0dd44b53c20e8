#include "cpp/operations/submitter.h"

#include <algorithm>

#include "cpp/operations/operation_errors.h"

namespace mooring {
namespace {

// Requests are handed to the engine this many at a time: few enough to stay in the first-level cache.
constexpr uint32_t kBatch = 64;

constexpr uint16_t kOrder = kRequestLink | kRequestDrain;
constexpr uint16_t kAnyFlag = kOrder | kRequestFixedFile;

// What an opcode allows.
struct Rule {
  uint16_t flags;
  bool memory;     // reads or writes bytes
  bool parameter;  // uses `parameter`
};
constexpr Rule kRules[kOpcodeCount] = {
    {kOrder, false, false},    // nop
    {kAnyFlag, true, false},   // read
    {kAnyFlag, true, false},   // write
    {kAnyFlag, false, true},   // fsync
    {kAnyFlag, false, true},   // fallocate
    {kOrder, false, true},     // openat
    {kAnyFlag, false, false},  // close
    {kOrder, false, true},     // statx
    {kOrder, false, false},    // timeout
    {0, false, false},         // cancel
};

}  // namespace

Submitter::Submitter(RingCore& core, uint32_t chain_max)
    : core_(core),
      chain_max_(chain_max),
      capacity_(std::max(kBatch, chain_max) + kBatch),
      staged_(new Request[capacity_]) {}

Status Submitter::Stage(std::span<const Operation> operations, uint32_t* out_accepted) {
  Status status;
  uint32_t accepted = 0;
  const uint32_t count = static_cast<uint32_t>(operations.size());
  while (accepted < count) {
    const Operation& operation = operations[accepted];
    uint32_t length = 1;
    if (operation.flags & kRequestLink) {
      length = ChainLength(operations.subspan(accepted));
      if (length == 0) status = Status(kOpenChain);
      if (length > chain_max_) status = Status(kLongChain);
      if (!status.ok() || core_.records->FreeCountNow() < length) break;
    } else if (core_.records->FreeCount() == 0) {
      break;
    } else if (operation.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
      if (operation.flags != 0) status = Status(kUnknownFlags);
      if (!status.ok() || !StageCancel(operation)) break;
      ++accepted;
      continue;
    }
    const uint32_t before = staged_count_;
    for (uint32_t i = 0; i < length && status.ok(); ++i) status = StageOne(operations[accepted + i]);
    if (!status.ok()) {
      Unstage(before);
      break;
    }
    accepted += length;
    // Before they are handed over: whoever sees them settled must not count fewer submitted.
    core_.counters.submitted.Add(length);
    if (staged_count_ >= kBatch) Flush();
  }
  *out_accepted = accepted;
  return status;
}

uint32_t Submitter::ChainLength(std::span<const Operation> operations) {
  for (uint32_t i = 0; i < operations.size(); ++i) {
    if (!(operations[i].flags & kRequestLink)) return i + 1;
  }
  return 0;
}

Status Submitter::StageOne(const Operation& operation) {
  if (operation.opcode >= kOpcodeCount) return Status(kUnknownOpcode);
  const Rule& rule = kRules[operation.opcode];
  if (operation.flags & ~rule.flags) return Status(kUnknownFlags);
  if (operation.parameter != 0 && !rule.parameter) return Status(kUnusedField);

  const uint32_t index = core_.records->Take();
  Record& record = (*core_.records)[index];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.size = operation.size;
  record.registration = nullptr;
  record.lease_held = false;
  record.path = Path::kNone;

  Request& request = staged_[staged_count_];
  request.opcode = static_cast<Opcode>(operation.opcode);
  request.flags = operation.flags;
  request.fd = operation.fd;
  request.file_offset = operation.file_offset;
  request.buffer_slot = kNoBufferSlot;
  request.parameter = operation.parameter;
  request.token = RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed));
  Status status;
  if (rule.memory) {
    status = StageMemory(operation, record, request);
  } else if (operation.registration != nullptr) {
    status = Status(kNotRegistrable);
  } else {
    request.address = reinterpret_cast<void*>(operation.offset);
    request.size64 = request.opcode == Opcode::kTimeout ? operation.offset : operation.size;
  }
  if (!status.ok()) {
    core_.records->Untake(index);
    return status;
  }
  ++staged_count_;
  return status;
}

Status Submitter::StageMemory(const Operation& operation, Record& record, Request& request) {
  if (operation.size > kTransferBytesMax) return Status(kTooLarge);
  request.size64 = operation.size;
  Registration* registration = operation.registration;
  if (registration == nullptr) {
    if (operation.lease_generation != 0) return Status(kLeaseWithoutRegistration);
    request.address = reinterpret_cast<void*>(operation.offset);
    record.path = Path::kCopy;
    return OkStatus();
  }
  if (&registration->table() != core_.table) return Status(kForeignRegistration);
  Slab& slab = registration->slab();
  uint64_t start = 0;
  uint64_t limit = slab.total_bytes();
  if (operation.lease_generation != 0) {
    const uint32_t buffers = slab.Hold(operation.lease_first_index, operation.lease_generation);
    if (buffers == 0) return Status(kStaleLease);
    record.lease_held = true;
    record.lease_first_index = operation.lease_first_index;
    start = operation.lease_first_index * slab.buffer_bytes();
    limit = buffers * slab.buffer_bytes();
  }
  if (operation.offset > limit || operation.size > limit - operation.offset) {
    if (record.lease_held) slab.Unhold(operation.lease_first_index);
    return Status(kOutOfBounds);
  }
  const uint64_t offset = start + operation.offset;
  request.address = slab.base() + offset;
  request.buffer_slot = registration->SlotFor(offset, operation.size);
  record.path = request.buffer_slot == kNoBufferSlot ? Path::kCopy : Path::kFixed;
  record.registration = registration;
  Reference(registration);
  return OkStatus();
}

void Submitter::Reference(Registration* registration) {
  if (registration != promised_) {
    if (promised_count_ > 0) promised_->AddRef(promised_count_);
    promised_ = registration;
    promised_count_ = 0;
  }
  ++promised_count_;
}

void Submitter::Unstage(uint32_t staged) {
  while (staged_count_ > staged) {
    const uint32_t index = RecordPool::IndexOf(staged_[--staged_count_].token);
    Record& record = (*core_.records)[index];
    if (record.lease_held) record.registration->slab().Unhold(record.lease_first_index);
    if (record.registration != nullptr) {
      // A promise that was kept already when the registration changed is taken back for real.
      if (record.registration == promised_ && promised_count_ > 0) {
        --promised_count_;
      } else {
        record.registration->DropRef();
      }
    }
    core_.records->Untake(index);
  }
}

std::span<const Request> Submitter::TakeStaged() {
  if (promised_count_ > 0) promised_->AddRef(promised_count_);
  promised_ = nullptr;
  promised_count_ = 0;
  const std::span<const Request> requests(staged_.get(), staged_count_);
  staged_count_ = 0;
  core_.handed.store(core_.handed.load(std::memory_order_relaxed) + requests.size(), std::memory_order_release);
  return requests;
}

void Submitter::Flush() {
  if (staged_count_ > 0) core_.engine->Submit(TakeStaged());
}

bool Submitter::Matches(const Record& record, uint64_t user_data) const {
  // The opcode is this side's own writing. Generation first: odd says that user_data is of an operation in flight.
  return (record.generation.load(std::memory_order_relaxed) & 1) != 0 &&
         record.opcode != static_cast<uint16_t>(Opcode::kCancel) &&
         record.user_data.load(std::memory_order_relaxed) == user_data;
}

void Submitter::PushCancel(uint64_t target_token, uint64_t own_token) {
  Request& request = staged_[staged_count_++];
  request = Request{};
  request.opcode = Opcode::kCancel;
  request.size64 = target_token;
  request.token = own_token;
  if (staged_count_ >= kBatch) Flush();
}

bool Submitter::StageCancel(const Operation& operation) {
  Flush();  // so that operations of this batch can be found by the engine
  const uint64_t user_data = operation.offset;
  RecordPool& records = *core_.records;
  uint32_t matches = 0;
  for (uint32_t i = 0; i < records.capacity(); ++i) matches += Matches(records[i], user_data);
  if (core_.cancels.load(std::memory_order_acquire) + matches > records.capacity()) return false;

  const uint32_t own = records.Take();
  Record& record = records[own];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.registration = nullptr;
  record.lease_held = false;
  record.path = Path::kNone;
  record.cancel_found = 0;
  const uint64_t own_token = RecordPool::TokenOf(own, record.generation.load(std::memory_order_relaxed));
  // An operation that matched may complete meanwhile; its cancel request then finds nothing. None can be added, for
  // that is this side's work. So the tokens are taken first, and the count is set before the first request goes out.
  uint32_t pending = 0;
  for (uint32_t i = 0; i < records.capacity(); ++i) pending += Matches(records[i], user_data);
  pending = std::min(pending, matches);
  record.size = pending;
  record.cancel_pending = std::max(pending, 1u);
  core_.cancels.fetch_add(pending, std::memory_order_acq_rel);
  core_.counters.submitted.Add(1);
  uint32_t pushed = 0;
  for (uint32_t i = 0; i < records.capacity() && pushed < pending; ++i) {
    if (!Matches(records[i], user_data)) continue;
    PushCancel(RecordPool::TokenOf(i, records[i].generation.load(std::memory_order_relaxed)), own_token);
    ++pushed;
  }
  // Completed between the count and now: stand-ins that find nothing.
  for (; pushed < pending; ++pushed) PushCancel(RecordPool::TokenOf(own, 0), own_token);
  if (pending == 0) {
    // Nothing to cancel: a nop brings the completion.
    Request& request = staged_[staged_count_++];
    request = Request{};
    request.token = own_token;
  }
  return true;
}

std::optional<uint32_t> Submitter::CancelForgotten(uint64_t user_data) {
  Flush();
  RecordPool& records = *core_.records;
  uint32_t found = 0;
  for (uint32_t i = 0; i < records.capacity(); ++i) {
    if (!Matches(records[i], user_data)) continue;
    if (core_.cancels.load(std::memory_order_acquire) >= records.capacity()) {
      Flush();
      return std::nullopt;
    }
    core_.cancels.fetch_add(1, std::memory_order_acq_rel);
    PushCancel(RecordPool::TokenOf(i, records[i].generation.load(std::memory_order_relaxed)),
               RingCore::kForgottenToken);
    ++found;
  }
  Flush();
  return found;
}

void Submitter::CancelAll() {
  Flush();
  RecordPool& records = *core_.records;
  for (uint32_t i = 0; i < records.capacity(); ++i) {
    const uint32_t generation = records[i].generation.load(std::memory_order_relaxed);
    if ((generation & 1) == 0) continue;
    if (core_.cancels.load(std::memory_order_acquire) >= records.capacity()) break;
    core_.cancels.fetch_add(1, std::memory_order_acq_rel);
    PushCancel(RecordPool::TokenOf(i, generation), RingCore::kForgottenToken);
  }
  Flush();
}

}  // namespace mooring
