// Completer: the completion side of a ring. Folds the engine's events into completions, gives
// leases and registrations back, and keeps completions that were harvested before the caller asked
// for them.
//
// Threading: the completion side's; one call at a time.
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

  // Fills `out` with what is there: the backlog first, then events of the engine, waiting for
  // `min_count` until `deadline`. With `requests`, hands those to the engine first. Returns how
  // many. Returns early when the engine was woken, and before it waits for an operation that has to
  // be resumed first.
  uint32_t Reap(std::span<const Request> requests, std::span<Completion> out, uint32_t min_count,
                Deadline deadline);

  // Takes what the engine has into the backlog. Waits for at least one event until `deadline`.
  void ReapIntoBacklog(Deadline deadline);

  uint32_t backlog_count() const { return backlog_.count(); }
  // Operations handed over and not settled yet.
  uint64_t in_flight() const {
    return core_.counters.submitted.value() - core_.counters.finished.value();
  }

 private:
  static constexpr uint32_t kBatch = 64;
  // Instead of a record: no completion, and one of an operation that goes on.
  static constexpr uint32_t kNoRecord = Backlog::kNoRecord;
  static constexpr uint32_t kNotFinal = kNoRecord - 1;

  // Tells in `out` of the operation that the event completes, and returns its record, kNoRecord or
  // kNotFinal.
  uint32_t Complete(const Event& event, Completion* out);
  // As Complete, but that the record's end is left to it.
  uint32_t CompleteMultishot(const Event& event, uint32_t index, Completion* out);
  // Null for tags and forgotten cancels.
  const Record* RecordOf(const Event& event) const;
  static Lease TakeLease(const Event& event, const Record& record, Multishot& multishot);
  // It has no request out any more, and shall get one.
  void QueueForRestart(uint32_t index);
  bool CompleteCancel(const Event& event, Record& record);
  bool CompleteZeroCopy(const Event& event, Record& record);
  // Counts, and returns what there is to flag.
  uint32_t Count(const Record& record, int64_t result);
  // After each batch of events, of which `settled` completed an operation.
  void FinishBatch(uint32_t settled);
  // The caller has `count` more completions, whose records were given back.
  void CountDelivered(uint32_t count);
  uint32_t DrainBacklog(std::span<Completion> out);
  void DropRegistration(Registration* registration);
  void FlushDroppedRefs();

  RingCore& core_;
  RecordPool& records_;
  Event events_[kBatch];  // here, and not made anew, which would zero them, at every call
  Backlog backlog_;
  bool has_queued_ = false;  // something in this Reap, for which a wait has to be put off
  // References to one registration that are dropped together at the end of a batch.
  Registration* dropped_registration_ = nullptr;
  uint32_t dropped_ref_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_COMPLETER_H_
