#include "cpp/ring/submitter.h"

#include <algorithm>
#include <iterator>

#include "cpp/ring/lease_range.h"
#include "cpp/ring/opcode_table.h"
#include "cpp/ring/operation_errors.h"
#include "cpp/ring/socket_operations.h"

namespace mooring {
namespace {

// Requests per batch: few enough to stay in the first-level cache.
constexpr uint32_t kBatch = 64;

}  // namespace

Submitter::Submitter(RingCore& core, uint32_t chain_max)
    : core_(core),
      records_(*core.records),
      chain_max_(chain_max),
      staged_(new Request[std::max(kBatch, chain_max) + kBatch]),
      batch_end_(staged_.get() + kBatch),
      next_(staged_.get()),
      starter_(records_, *core.multishots, core.engine->info().features),
      waiting_(new uint32_t[records_.capacity()]),
      matches_(new uint32_t[records_.capacity()]) {}

// Inlined: for a nop, a call would cost as much as the function itself.
[[gnu::always_inline]] inline const ErrorDetail* Submitter::StageOne(const Operation& operation) {
  if (operation.opcode >= std::size(kOpcodeTable)) return &kUnknownOpcode;
  const OpcodeRule& rule = kOpcodeTable[operation.opcode];
  if (operation.flags & ~rule.flags) return &kUnknownFlags;
  if (operation.parameter != 0 && !rule.parameter) return &kUnusedField;
  if (operation.registration != nullptr && rule.bytes == OpcodeBytes::kNone)
    return &kNotRegistrable;

  const uint32_t index = records_.Take();
  Record& record = records_[index];
  record.user_data.store(operation.user_data, std::memory_order_relaxed);
  record.opcode = operation.opcode;
  record.lease_held = false;
  record.path = Path::kNone;
  record.size = operation.size;
  record.registration = nullptr;

  Request& request = *next_;
  request.opcode = static_cast<Opcode>(operation.opcode);
  request.flags = operation.flags;
  request.fd = operation.fd;
  request.file_offset = operation.file_offset;
  request.address = reinterpret_cast<void*>(operation.offset);
  request.size64 = operation.opcode == static_cast<uint16_t>(Opcode::kTimeout) ? operation.offset
                                                                               : operation.size;
  request.buffer_slot = kNoBufferSlot;
  request.parameter = operation.parameter;
  request.token = RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed));
  if (rule.bytes == OpcodeBytes::kOneRange) {
    if (const ErrorDetail* refusal = StageMemory(operation, record, request)) {
      records_.UndoTake(index);
      return refusal;
    }
  }
  ++next_;
  return nullptr;
}

const ErrorDetail* Submitter::StageSocket(const Operation& operation) {
  if (operation.opcode >= kOpcodeCount) return &kUnknownOpcode;
  if (const ErrorDetail* refusal = CheckSocketOperation(operation)) return refusal;
  if (IsMultishot(operation.opcode)) return StageMultishot(operation);
  if (const ErrorDetail* refusal = StageOne(operation)) return refusal;
  const bool has_zero_copy = (core_.engine->info().features & kFeatureSendZeroCopy) != 0;
  // The request is already staged, so a refusal below removes it with Unstage.
  Request& request = *(next_ - 1);
  Record& record = records_[RecordPool::IndexOf(request.token)];
  const ErrorDetail* refusal = nullptr;
  if (HasSegments(operation.opcode)) refusal = StageSegments(operation, record, request);
  if (refusal == nullptr) {
    refusal = FinishSocketRequest(has_zero_copy ? &core_.zero_copy : nullptr, record, request);
  }
  if (refusal != nullptr) Unstage(next_ - 1);
  return refusal;
}

const ErrorDetail* Submitter::StageSegments(const Operation& operation, Record& record,
                                            Request& request) {
  Message& message = (*core_.messages)[RecordPool::IndexOf(request.token)];
  message.held_count = 0;
  Registration* registration = operation.registration;
  if (registration != nullptr && &registration->table() != core_.table)
    return &kForeignRegistration;
  Slab* const slab = registration != nullptr ? &registration->slab() : nullptr;
  if (const ErrorDetail* refusal = message.Take(operation, slab, &record.size)) return refusal;
  request.address = &message.header;
  request.size64 = record.size;
  record.path = Path::kCopy;
  record.registration = registration;
  if (registration != nullptr) Reference(registration);
  return nullptr;
}

Status Submitter::Stage(std::span<const Operation> operations, uint32_t* out_accepted) {
  const ErrorDetail* refusal = nullptr;
  const Operation* const end = operations.data() + operations.size();
  const Operation* next = operations.data();
  while (next < end) {
    const Operation& operation = *next;
    uint32_t taken = 1;
    if ((operation.flags & kRequestLink) != 0) [[unlikely]] {
      taken = StageChain({next, end}, &refusal);
    } else if (records_.FreeCount() == 0) {
      break;
    } else if (operation.opcode < static_cast<uint16_t>(Opcode::kCancel)) [[likely]] {
      refusal = StageOne(operation);
    } else if (operation.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
      taken = StageCancel(operation, &refusal) ? 1 : 0;
    } else {
      refusal = StageSocket(operation);
    }
    if (refusal != nullptr || taken == 0) break;
    next += taken;
    if (next_ >= batch_end_) Flush();
  }
  *out_accepted = static_cast<uint32_t>(next - operations.data());
  return refusal == nullptr ? OkStatus() : Status(*refusal);
}

uint32_t Submitter::StageChain(std::span<const Operation> operations, const ErrorDetail** refusal) {
  const uint32_t length = ChainLength(operations);
  if (length == 0) *refusal = &kOpenChain;
  if (length > chain_max_) *refusal = &kLongChain;
  if (*refusal != nullptr || records_.FreeCountNow() < length) return 0;
  const Request* const before = next_;
  for (const Operation& operation : operations.first(length)) {
    if (operation.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
      *refusal = &kCancelInChain;
    } else if (IsMultishot(operation.opcode)) {
      *refusal = &kMultishotInChain;
    } else {
      *refusal = operation.opcode < static_cast<uint16_t>(Opcode::kSend) ? StageOne(operation)
                                                                         : StageSocket(operation);
    }
    if (*refusal == nullptr) continue;
    Unstage(before);
    return 0;
  }
  return length;
}

uint32_t Submitter::ChainLength(std::span<const Operation> operations) {
  for (uint32_t i = 0; i < operations.size(); ++i) {
    if (!(operations[i].flags & kRequestLink)) return i + 1;
  }
  return 0;
}

const ErrorDetail* Submitter::StageMemory(const Operation& operation, Record& record,
                                          Request& request) {
  if (operation.size > kTransferBytesMax) return &kTooLarge;
  Registration* registration = operation.registration;
  if (registration == nullptr) {
    if (operation.lease_generation != 0) return &kLeaseWithoutRegistration;
    record.path = Path::kCopy;
    return nullptr;
  }
  if (&registration->table() != core_.table) return &kForeignRegistration;
  Slab& slab = registration->slab();
  uint64_t offset = 0;
  if (const ErrorDetail* refusal =
          HoldRange(slab, operation.lease_first_index, operation.lease_generation, operation.offset,
                    operation.size, &offset)) {
    return refusal;
  }
  record.lease_held = operation.lease_generation != 0;
  record.lease_first_index = operation.lease_first_index;
  request.address = slab.base() + offset;
  request.buffer_slot = registration->SlotFor(offset, operation.size);
  record.path = request.buffer_slot == kNoBufferSlot ? Path::kCopy : Path::kFixed;
  record.registration = registration;
  Reference(registration);
  return nullptr;
}

void Submitter::Reference(Registration* registration) {
  if (registration != batched_registration_) {
    if (batched_ref_count_ > 0) batched_registration_->AddRef(batched_ref_count_);
    batched_registration_ = registration;
    batched_ref_count_ = 0;
  }
  ++batched_ref_count_;
}

void Submitter::Unstage(const Request* first) {
  while (next_ > first) {
    const uint32_t index = RecordPool::IndexOf((--next_)->token);
    Record& record = records_[index];
    if (record.lease_held) record.registration->slab().Unhold(record.lease_first_index);
    if (record.registration != nullptr) {
      if (HasSegments(record.opcode))
        (*core_.messages)[index].Release(&record.registration->slab());
      // If the registration changed since, its references have been added already.
      if (record.registration == batched_registration_ && batched_ref_count_ > 0) {
        --batched_ref_count_;
      } else {
        record.registration->DropRef();
      }
    }
    records_.UndoTake(index);
  }
}

std::span<const Request> Submitter::TakeStaged() {
  // Counted before they are submitted: `finished` must never exceed `submitted`.
  const std::span<const Request> requests(staged_.get(), next_);
  core_.counters.submitted.Add(requests.size() - extra_count_);
  extra_count_ = 0;
  if (batched_ref_count_ > 0) batched_registration_->AddRef(batched_ref_count_);
  batched_registration_ = nullptr;
  batched_ref_count_ = 0;
  next_ = staged_.get();
  core_.requests_published.store(
      core_.requests_published.load(std::memory_order_relaxed) + requests.size(),
      std::memory_order_release);
  return requests;
}

void Submitter::Flush() {
  if (next_ > staged_.get()) core_.engine->Submit(TakeStaged());
}

}  // namespace mooring
