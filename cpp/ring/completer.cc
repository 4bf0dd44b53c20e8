#include "cpp/ring/completer.h"

#include <algorithm>
#include <cerrno>

#include "cpp/base/check.h"

namespace mooring {

Completer::Completer(RingCore& core)
    : core_(core), records_(*core.records), backlog_(records_.capacity()) {}

// Inlined: see Submitter::StageOne.
[[gnu::always_inline]] inline uint32_t Completer::Complete(const Event& event, Completion* out) {
  if (event.token & (kBufferTagBit | kDetachedToken)) [[unlikely]] {
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
  DCHECK(event.token ==
         RecordPool::TokenOf(index, record.generation.load(std::memory_order_relaxed)));
  int64_t result = event.result;
  if (record.opcode >= static_cast<uint16_t>(Opcode::kCancel)) [[unlikely]] {
    if (record.opcode == static_cast<uint16_t>(Opcode::kCancel)) {
      if (!CompleteCancel(event, record)) return kNoRecord;
      result = record.progress.cancel.found > 0 ? static_cast<int64_t>(record.progress.cancel.found)
                                                : -ENOENT;
    } else if (record.opcode == static_cast<uint16_t>(Opcode::kSend) &&
               record.path == Path::kFixed) {
      if (!CompleteZeroCopy(event, record)) return kNoRecord;
      result = record.progress.send.result;
    } else if (IsMultishot(record.opcode)) {
      const uint32_t completed = CompleteMultishot(event, index, out);
      if (completed != index) return completed;
      result = out->result;
    } else if (HasSegments(record.opcode) && record.registration != nullptr) {
      (*core_.messages)[index].Release(&record.registration->slab());
    }
  }
  // An operation that moves no bytes and succeeds has nothing to count, so it skips the call.
  const bool uncounted = record.path == Path::kNone && result >= 0;
  *out = Completion{.user_data = record.user_data.load(std::memory_order_relaxed),
                    .result = result,
                    .flags = uncounted ? 0 : Count(record, result),
                    .path = record.path};
  if (record.registration != nullptr) {
    if (record.lease_held) record.registration->slab().Unhold(record.lease_first_index);
    DropRegistration(record.registration);
  }
  records_.Retire(index);
  return index;
}

uint32_t Completer::Reap(std::span<const Request> requests, std::span<Completion> out,
                         uint32_t min_count, Deadline deadline) {
  uint32_t count = DrainBacklog(out);
  bool submitted = requests.empty();
  has_queued_ = false;
  for (;;) {
    const uint32_t room = static_cast<uint32_t>(std::min<size_t>(out.size() - count, kBatch));
    if (room == 0 && submitted) break;
    uint32_t wanted = std::min(min_count > count ? min_count - count : 0, room);
    if (wanted > 1 && core_.multishots->any()) [[unlikely]]
      wanted = 1;
    uint32_t received = 0;
    if (submitted) {
      received = core_.engine->Reap({events_, room}, wanted, deadline);
    } else {
      received = core_.engine->SubmitAndReap(requests, {events_, room}, wanted, deadline);
      submitted = true;
    }
    core_.requests_published.load(std::memory_order_acquire);
    uint32_t before = count;  // plus the completions that are not final
    for (uint32_t i = 0; i < received; ++i) {
      const uint32_t index = Complete(events_[i], &out[count]);
      if (index >= kNotFinal) [[unlikely]] {
        count += index == kNotFinal;
        before += index == kNotFinal;
        continue;
      }
      records_.Return(index);
      ++count;
    }
    FinishBatch(count - before);
    CountDelivered(count - before);
    if (has_queued_) [[unlikely]]
      break;
    if (received == room) continue;  // there may be more
    // Fewer events than `wanted`: the deadline has passed or the engine was woken. As many, but too
    // few completions: some events were tags.
    if (count >= min_count || received < wanted) break;
  }
  return count;
}

void Completer::ReapIntoBacklog(Deadline deadline) {
  uint32_t received = 0;
  do {
    received = core_.engine->Reap(events_, 1, deadline);
    core_.requests_published.load(std::memory_order_acquire);
    uint32_t finished = 0;
    for (uint32_t i = 0; i < received; ++i) {
      // The record stays valid until it is returned, but Complete may drop its registration.
      BacklogEntry entry;
      const Record* record = RecordOf(events_[i]);
      if (record != nullptr) entry.opcode = record->opcode;
      Registration* const registration = record != nullptr ? record->registration : nullptr;
      entry.index = Complete(events_[i], &entry.completion);
      if (entry.index == kNoRecord) continue;
      if (entry.completion.lease_generation != 0) {
        registration->AddRef();
        entry.registration = registration;
      }
      if (entry.index == kNotFinal) {
        entry.index = kNoRecord;
      } else {
        ++finished;
      }
      backlog_.Push(entry);
    }
    FinishBatch(finished);
    deadline = Deadline();
  } while (received == kBatch);
}

uint32_t Completer::DrainBacklog(std::span<Completion> out) {
  if (backlog_.empty()) [[likely]]
    return 0;
  uint32_t count = 0;
  uint32_t finished = 0;
  while (!backlog_.empty() && count < out.size()) {
    const BacklogEntry entry = backlog_.Pop();
    out[count++] = entry.completion;
    if (entry.index == kNoRecord) continue;
    records_.Return(entry.index);
    ++finished;
  }
  CountDelivered(finished);
  return count;
}

// The counter follows the release of memory and leases, so in_flight is never less than what the
// kernel still uses.
void Completer::FinishBatch(uint32_t finished) {
  if (dropped_ref_count_ > 0) FlushDroppedRefs();
  core_.counters.finished.Add(finished);
}

void Completer::CountDelivered(uint32_t count) {
  core_.counters.completed.Add(count);
  records_.PublishReturned();
}

bool Completer::CompleteCancel(const Event& event, Record& record) {
  if (record.size > 0) {
    core_.cancels.fetch_sub(1, std::memory_order_acq_rel);
    // -EALREADY: the operation runs. Its own completion reports whether it was stopped.
    record.progress.cancel.found += event.result >= 0 || event.result == -EALREADY;
  }
  return --record.progress.cancel.pending == 0;
}

// A zero-copy send completes when its memory is free again. If its first event has MORE, that is at
// its second event, the notification, which also reports whether the kernel copied the bytes.
bool Completer::CompleteZeroCopy(const Event& event, Record& record) {
  const bool is_notification = (event.flags & kEventNotification) != 0;
  if (!is_notification) record.progress.send.result = event.result;
  if ((event.flags & kEventMore) != 0) return false;
  const bool sent = record.progress.send.result >= 0;
  const bool copied =
      is_notification && (static_cast<uint32_t>(event.result) & kNotificationCopied) != 0;
  // The kernel reports failed sends as copied, too, which is no information about the socket.
  if (copied && sent) {
    core_.zero_copy.OnCopied(record.progress.send.fd);
    core_.counters.send_copied.Add(1);
  }
  if (!is_notification || copied || !sent) record.path = Path::kCopy;
  return true;
}

uint32_t Completer::Count(const Record& record, int64_t result) {
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
    case Opcode::kRecvMultishot:
      counters.recv.Add(1);
      if (result == 0) flags |= kCompletionEndOfFile;
      break;
    case Opcode::kRecv:
    case Opcode::kRecvmsg:
      counters.recv.Add(1);
      counters.recv_bytes.Add(std::min(bytes, record.size));  // MSG_TRUNC may report more
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

void Completer::DropRegistration(Registration* registration) {
  if (registration != dropped_registration_) {
    if (dropped_ref_count_ > 0) FlushDroppedRefs();
    dropped_registration_ = registration;
  }
  ++dropped_ref_count_;
}

void Completer::FlushDroppedRefs() {
  dropped_registration_->DropRef(dropped_ref_count_);
  dropped_registration_ = nullptr;
  dropped_ref_count_ = 0;
}

}  // namespace mooring
