// Settler: the completion side of a ring. Folds the engine's events into completions, gives leases and registrations
// back, and keeps completions that were harvested before the caller asked for them.
//
// Threading: the completion side's; one call at a time.
#ifndef MOORING_CPP_OPERATIONS_SETTLER_H_
#define MOORING_CPP_OPERATIONS_SETTLER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "cpp/base/deadline.h"
#include "cpp/operations/operation.h"
#include "cpp/operations/submitter.h"

namespace mooring {

class Settler {
 public:
  explicit Settler(RingCore& core);

  // Fills `out` with what is there: the backlog first, then events of the engine, waiting for `min_count` until
  // `deadline`. With `requests`, hands those to the engine first. Returns how many. Returns early when the engine was
  // woken.
  uint32_t Reap(std::span<const Request> requests, std::span<Completion> out, uint32_t min_count, Deadline deadline);

  // Takes what the engine has into the backlog. Waits for at least one event until `deadline`.
  void Harvest(Deadline deadline);

  uint32_t backlog_count() const { return backlog_count_; }
  // Operations handed over and not settled yet.
  uint64_t in_flight() const { return core_.counters.submitted.value() - core_.counters.settled.value(); }

 private:
  struct Settled {
    Completion completion;
    uint32_t index = 0;  // of the record, given back when the caller has the completion
  };

  // True when the event completes an operation, which `out` then tells.
  bool Settle(const Event& event, Settled* out);
  bool SettleCancel(const Event& event, Record& record);
  void Count(const Record& record, Completion& completion);
  void Deliver(const Settled& settled, Completion* out);
  uint32_t DrainBacklog(std::span<Completion> out);
  void DropRegistration(Registration* registration);
  void DropPending();

  RingCore& core_;
  const std::unique_ptr<Settled[]> backlog_;  // a ring of as many entries as there are records
  uint32_t backlog_first_ = 0;
  uint32_t backlog_count_ = 0;
  // References to one registration that are dropped together at the end of a batch.
  Registration* dropping_ = nullptr;
  uint32_t dropping_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_OPERATIONS_SETTLER_H_
