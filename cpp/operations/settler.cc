#include "cpp/operations/settler.h"

#include <algorithm>
#include <cerrno>

#include "cpp/base/check.h"

namespace mooring {
namespace {

constexpr uint32_t kBatch = 64;

}  // namespace

Settler::Settler(RingCore& core) : core_(core), backlog_(new Settled[core.records->capacity()]) {}

uint32_t Settler::Reap(std::span<const Request> requests, std::span<Completion> out, uint32_t min_count,
                       Deadline deadline) {
  uint32_t count = DrainBacklog(out);
  bool submitted = requests.empty();
  Event events[kBatch];
  for (;;) {
    const uint32_t room = static_cast<uint32_t>(std::min<size_t>(out.size() - count, kBatch));
    if (room == 0 && submitted) break;
    const uint32_t wanted = std::min(min_count > count ? min_count - count : 0, room);
    uint32_t received = 0;
    if (submitted) {
      received = core_.engine->Reap({events, room}, wanted, deadline);
    } else {
      received = core_.engine->SubmitAndReap(requests, {events, room}, wanted, deadline);
      submitted = true;
    }
    core_.handed.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < received; ++i) {
      Settled settled;
      if (Settle(events[i], &settled)) Deliver(settled, &out[count++]);
    }
    DropPending();
    if (received == room) continue;  // there may be more
    // Short of what was wanted: the deadline has passed or the engine was woken, unless what came were tags.
    if (count >= min_count || received < wanted) break;
  }
  return count;
}

void Settler::Harvest(Deadline deadline) {
  Event events[kBatch];
  uint32_t received = 0;
  do {
    const uint32_t room = std::min(core_.records->capacity() - backlog_count_, kBatch);
    // A full backlog means that every record is settled: what is still to come are tags and forgotten cancels.
    received = core_.engine->Reap({events, std::max(room, 1u)}, 1, deadline);
    core_.handed.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < received; ++i) {
      Settled settled;
      if (!Settle(events[i], &settled)) continue;
      CHECK(backlog_count_ < core_.records->capacity());
      backlog_[(backlog_first_ + backlog_count_++) % core_.records->capacity()] = settled;
    }
    DropPending();
    deadline = Deadline();
  } while (received == kBatch);
}

uint32_t Settler::DrainBacklog(std::span<Completion> out) {
  uint32_t count = 0;
  while (backlog_count_ > 0 && count < out.size()) {
    Deliver(backlog_[backlog_first_], &out[count++]);
    backlog_first_ = (backlog_first_ + 1) % core_.records->capacity();
    --backlog_count_;
  }
  return count;
}

void Settler::Deliver(const Settled& settled, Completion* out) {
  *out = settled.completion;
  core_.counters.completed.Add(1);
  core_.records->Give(settled.index);
}

bool Settler::Settle(const Event& event, Settled* out) {
  if (event.token & (kBufferTagBit | RingCore::kForgottenToken)) {
    if (event.token & kBufferTagBit) {
      core_.table->OnTag(event.token);
    } else {
      core_.cancels.fetch_sub(1, std::memory_order_acq_rel);
    }
    return false;
  }
  const uint32_t index = RecordPool::IndexOf(event.token);
  CHECK(index < core_.records->capacity());
  Record& record = (*core_.records)[index];
  DCHECK(event.token == RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed)));
  Completion& completion = out->completion;
  completion.result = event.result;
  if (record.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
    if (!SettleCancel(event, record)) return false;
    completion.result = record.cancel_found > 0 ? static_cast<int64_t>(record.cancel_found) : -ENOENT;
  }
  out->index = index;
  completion.user_data = record.user_data.load(std::memory_order_relaxed);
  completion.path = record.path;
  Count(record, completion);
  if (record.registration != nullptr) {
    if (record.lease_held) record.registration->slab().Unhold(record.lease_first_index);
    DropRegistration(record.registration);
  }
  core_.records->Retire(index);
  core_.counters.settled.Add(1);
  return true;
}

bool Settler::SettleCancel(const Event& event, Record& record) {
  if (record.size > 0) {
    core_.cancels.fetch_sub(1, std::memory_order_acq_rel);
    // -EALREADY: it runs. Whether it stops is told by its own completion, here as there.
    record.cancel_found += event.result >= 0 || event.result == -EALREADY;
  }
  return --record.cancel_pending == 0;
}

void Settler::Count(const Record& record, Completion& completion) {
  RingCounters& counters = core_.counters;
  const int64_t result = completion.result;
  if (result < 0) {
    counters.failed.Add(1);
    if (result == -ECANCELED) counters.cancelled.Add(1);
  }
  if (record.path == Path::kNone) return;
  const bool fixed = record.path == Path::kFixed;
  const uint64_t bytes = result > 0 ? static_cast<uint64_t>(result) : 0;
  if (record.opcode == static_cast<uint16_t>(Opcode::kRead)) {
    (fixed ? counters.read_fixed : counters.read).Add(1);
    counters.read_bytes.Add(bytes);
    if (result == 0 && record.size > 0) completion.flags |= kCompletionEndOfFile;
  } else {
    (fixed ? counters.write_fixed : counters.write).Add(1);
    counters.write_bytes.Add(bytes);
  }
  if (result >= 0 && bytes < record.size) {
    completion.flags |= kCompletionShort;
    counters.short_count.Add(1);
  }
}

void Settler::DropRegistration(Registration* registration) {
  if (registration != dropping_) {
    DropPending();
    dropping_ = registration;
  }
  ++dropping_count_;
}

void Settler::DropPending() {
  if (dropping_count_ > 0) dropping_->DropRef(dropping_count_);
  dropping_ = nullptr;
  dropping_count_ = 0;
}

}  // namespace mooring
