// Completer: the completion side of a ring. It turns the engine's events into completions, releases
// the leases and registrations of operations, and keeps a backlog of completions that the caller
// has not asked for yet.
//
// Threading: called on the completion side, one call at a time.
#ifndef MOORING_CPP_RING_COMPLETER_H_
#define MOORING_CPP_RING_COMPLETER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "cpp/base/deadline.h"
#include "cpp/ring/backlog.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/submitter.h"

namespace mooring {

class Completer {
 public:
  explicit Completer(RingCore& core);

  // Submits `requests`, if any. Then fills `out` from the backlog first, then from the engine, and
  // waits until `deadline` for `min_count` completions. Returns how many there are. Returns early
  // if the engine was woken, or if a multishot operation needs its next request.
  uint32_t Reap(std::span<const Request> requests, std::span<Completion> out, uint32_t min_count,
                Deadline deadline);

  // Takes all events of the engine into the backlog. Waits until `deadline` for the first one.
  void ReapIntoBacklog(Deadline deadline);

  uint32_t backlog_count() const { return backlog_.count(); }
  // Operations that were submitted and have not finished.
  uint64_t in_flight() const {
    return core_.counters.submitted.value() - core_.counters.finished.value();
  }

 private:
  static constexpr uint32_t kBatch = 64;
  // Results of Complete other than an index: no completion; a completion with MORE.
  static constexpr uint32_t kNoRecord = Backlog::kNoRecord;
  static constexpr uint32_t kNotFinal = kNoRecord - 1;

  // Handles one event. Returns the index of the record that it completes, after filling in `out`;
  // or kNotFinal, also after filling in `out`; or kNoRecord.
  uint32_t Complete(const Event& event, Completion* out);
  // As Complete, but fills in only the result of a final completion and keeps the record.
  uint32_t CompleteMultishot(const Event& event, uint32_t index, Completion* out);
  // Null for buffer tags and detached cancel requests.
  const Record* RecordOf(const Event& event) const;
  static Lease TakeLease(const Event& event, const Record& record, Multishot& multishot);
  // For a multishot operation whose request has ended: has the submission side start the next one.
  void QueueForRestart(uint32_t index);
  // These two are true if the event is the last of the operation.
  bool CompleteCancel(const Event& event, Record& record);
  bool CompleteZeroCopy(const Event& event, Record& record);
  // Updates the counters. Returns the completion's flags.
  uint32_t Count(const Record& record, int64_t result);
  // Called after each batch of events, of which `finished` were the last of an operation.
  void FinishBatch(uint32_t finished);
  // Called when the caller has `count` more final completions, whose records were returned.
  void CountDelivered(uint32_t count);
  uint32_t DrainBacklog(std::span<Completion> out);
  void DropRegistration(Registration* registration);
  void FlushDroppedRefs();

  RingCore& core_;
  RecordPool& records_;
  Event events_[kBatch];  // a member: a local array would be zeroed in every call
  Backlog backlog_;
  bool has_queued_ = false;  // this Reap queued a multishot operation, so it must not wait
  // References to one registration. One call drops them all at the end of a batch.
  Registration* dropped_registration_ = nullptr;
  uint32_t dropped_ref_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_COMPLETER_H_
