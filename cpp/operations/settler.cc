#include "cpp/operations/settler.h"

#include <algorithm>
#include <cerrno>

#include "cpp/base/check.h"

namespace mooring {
Settler::Settler(RingCore& core)
    : core_(core), records_(*core.records), backlog_(new Settled[records_.capacity()]) {}

// Inlined: see Submitter::StageOne.
[[gnu::always_inline]] inline uint32_t Settler::Settle(const Event& event, Completion* out) {
  if (event.token & (kBufferTagBit | RingCore::kForgottenToken)) [[unlikely]] {
    if (event.token & kBufferTagBit) {
      core_.table->OnTag(event.token);
    } else {
      core_.cancels.fetch_sub(1, std::memory_order_acq_rel);
    }
    return kNoRecord;
  }
  const uint32_t index = RecordPool::IndexOf(event.token);
  CHECK(index < records_.capacity());
  Record& record = records_[index];
  DCHECK(event.token == RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed)));
  int64_t result = event.result;
  if (record.opcode >= static_cast<uint16_t>(Opcode::kCancel)) [[unlikely]] {
    if (record.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
      if (!SettleCancel(event, record)) return kNoRecord;
      result = record.of.cancel.found > 0 ? static_cast<int64_t>(record.of.cancel.found) : -ENOENT;
    } else if (record.opcode == static_cast<uint16_t>(Opcode::kSend) && record.path == Path::kFixed) {
      if (!SettleZeroCopy(event, record)) return kNoRecord;
      result = record.of.send.result;
    } else if (HasSegments(record.opcode) && record.registration != nullptr) {
      (*core_.messages)[index].Release(&record.registration->slab());
    }
  }
  *out = Completion{.user_data = record.user_data.load(std::memory_order_relaxed),
                    .result = result,
                    .flags = Count(record, result),
                    .path = record.path};
  if (record.registration != nullptr) {
    if (record.lease_held) record.registration->slab().Unhold(record.lease_first_index);
    DropRegistration(record.registration);
  }
  records_.Retire(index);
  return index;
}

uint32_t Settler::Reap(std::span<const Request> requests, std::span<Completion> out, uint32_t min_count,
                       Deadline deadline) {
  uint32_t count = DrainBacklog(out);
  bool submitted = requests.empty();
  for (;;) {
    const uint32_t room = static_cast<uint32_t>(std::min<size_t>(out.size() - count, kBatch));
    if (room == 0 && submitted) break;
    const uint32_t wanted = std::min(min_count > count ? min_count - count : 0, room);
    uint32_t received = 0;
    if (submitted) {
      received = core_.engine->Reap({events_, room}, wanted, deadline);
    } else {
      received = core_.engine->SubmitAndReap(requests, {events_, room}, wanted, deadline);
      submitted = true;
    }
    core_.handed.load(std::memory_order_acquire);
    const uint32_t before = count;
    for (uint32_t i = 0; i < received; ++i) {
      const uint32_t index = Settle(events_[i], &out[count]);
      if (index == kNoRecord) continue;
      records_.Give(index);
      ++count;
    }
    EndBatch(count - before);
    CountDelivered(count - before);
    if (received == room) continue;  // there may be more
    // Short of what was wanted: the deadline has passed or the engine was woken, unless what came were tags.
    if (count >= min_count || received < wanted) break;
  }
  return count;
}

void Settler::Harvest(Deadline deadline) {
  const uint32_t capacity = records_.capacity();
  uint32_t received = 0;
  do {
    const uint32_t room = std::min(capacity - backlog_count_, kBatch);
    // A full backlog means that every record is settled: what is still to come are tags and forgotten cancels.
    received = core_.engine->Reap({events_, std::max(room, 1u)}, 1, deadline);
    core_.handed.load(std::memory_order_acquire);
    uint32_t settled = 0;
    for (uint32_t i = 0; i < received; ++i) {
      Completion completion;
      const uint32_t index = Settle(events_[i], &completion);
      if (index == kNoRecord) continue;
      CHECK(backlog_count_ < capacity);
      backlog_[(backlog_first_ + backlog_count_++) % capacity] = Settled{completion, index};
      ++settled;
    }
    EndBatch(settled);
    deadline = Deadline();
  } while (received == kBatch);
}

uint32_t Settler::DrainBacklog(std::span<Completion> out) {
  if (backlog_count_ == 0) [[likely]]
    return 0;
  uint32_t count = 0;
  while (backlog_count_ > 0 && count < out.size()) {
    const Settled& settled = backlog_[backlog_first_];
    out[count++] = settled.completion;
    records_.Give(settled.index);
    backlog_first_ = (backlog_first_ + 1) % records_.capacity();
    --backlog_count_;
  }
  CountDelivered(count);
  return count;
}

// Their memory and leases are free by now, so that in_flight never tells fewer than the kernel has.
void Settler::EndBatch(uint32_t settled) {
  if (dropping_count_ > 0) DropPending();
  core_.counters.settled.Add(settled);
}

void Settler::CountDelivered(uint32_t count) {
  core_.counters.completed.Add(count);
  records_.PublishGiven();
}

bool Settler::SettleCancel(const Event& event, Record& record) {
  if (record.size > 0) {
    core_.cancels.fetch_sub(1, std::memory_order_acq_rel);
    // -EALREADY: it runs. Whether it stops is told by its own completion, here as there.
    record.of.cancel.found += event.result >= 0 || event.result == -EALREADY;
  }
  return --record.of.cancel.pending == 0;
}

// A send without a copy is over when its memory is free again, which its notification tells, should there be one. False
// until then. The path that it took is known by then, too.
bool Settler::SettleZeroCopy(const Event& event, Record& record) {
  const bool is_notification = (event.flags & kEventNotification) != 0;
  if (!is_notification) record.of.send.result = event.result;
  if ((event.flags & kEventMore) != 0) return false;
  const bool sent = record.of.send.result >= 0;
  const bool copied = is_notification && (static_cast<uint32_t>(event.result) & kNotificationCopied) != 0;
  // A failed one is reported as copied, too, but says nothing of its socket.
  if (copied && sent) {
    core_.zero_copy.OnCopied(record.of.send.fd);
    core_.counters.send_copied.Add(1);
  }
  if (!is_notification || copied || !sent) record.path = Path::kCopy;
  return true;
}

uint32_t Settler::Count(const Record& record, int64_t result) {
  RingCounters& counters = core_.counters;
  if (result < 0) [[unlikely]] {
    counters.failed.Add(1);
    if (result == -ECANCELED) counters.cancelled.Add(1);
  }
  if (record.path == Path::kNone) return 0;
  uint32_t flags = 0;
  const bool fixed = record.path == Path::kFixed;
  const uint64_t bytes = result > 0 ? static_cast<uint64_t>(result) : 0;
  switch (static_cast<Opcode>(record.opcode)) {
    case Opcode::kRead:
      (fixed ? counters.read_fixed : counters.read).Add(1);
      counters.read_bytes.Add(bytes);
      if (result == 0 && record.size > 0) flags |= kCompletionEndOfFile;
      break;
    case Opcode::kSend:
    case Opcode::kSendmsg:
      (fixed ? counters.send_zero_copy : counters.send).Add(1);
      counters.send_bytes.Add(bytes);
      break;
    case Opcode::kRecv:
    case Opcode::kRecvmsg:
      counters.recv.Add(1);
      counters.recv_bytes.Add(std::min(bytes, record.size));  // MSG_TRUNC may tell of more
      if (result == 0 && record.size > 0) flags |= kCompletionEndOfFile;
      break;
    default:
      (fixed ? counters.write_fixed : counters.write).Add(1);
      counters.write_bytes.Add(bytes);
  }
  if (result >= 0 && bytes < record.size) {
    flags |= kCompletionShort;
    counters.short_count.Add(1);
  }
  return flags;
}

void Settler::DropRegistration(Registration* registration) {
  if (registration != dropping_) {
    if (dropping_count_ > 0) DropPending();
    dropping_ = registration;
  }
  ++dropping_count_;
}

void Settler::DropPending() {
  dropping_->DropRef(dropping_count_);
  dropping_ = nullptr;
  dropping_count_ = 0;
}

}  // namespace mooring
