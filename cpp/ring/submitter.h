// Submitter: the submission side of a ring. Checks operations, holds their leases, chooses their
// path and hands them to the engine as requests, in batches.
//
// Threading: the submission side's; one call at a time.
#ifndef MOORING_CPP_RING_SUBMITTER_H_
#define MOORING_CPP_RING_SUBMITTER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "cpp/base/status.h"
#include "cpp/engine/engine.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/registration.h"
#include "cpp/ring/message_pool.h"
#include "cpp/ring/multishot_starter.h"
#include "cpp/ring/multishot_table.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/record_pool.h"
#include "cpp/ring/ring_stats.h"
#include "cpp/ring/zero_copy_hints.h"

namespace mooring {

// What both sides of a ring share.
struct RingCore {
  Engine* engine = nullptr;
  BufferTable* table = nullptr;
  RecordPool* records = nullptr;
  MessagePool* messages = nullptr;       // as many as records
  MultishotTable* multishots = nullptr;  // likewise
  RingCounters counters;
  // Requests handed to the engine. Release on the submission side and acquire on the completion
  // side carry a record's contents from one to the other: the kernel's queues do so in fact, but
  // not in the C++ memory model.
  std::atomic<uint64_t> requests_published{0};
  // Cancel requests under way, which have no record of their own.
  std::atomic<uint32_t> cancels{0};

  ZeroCopyHints zero_copy = {};
};

class Submitter {
 public:
  Submitter(RingCore& core, uint32_t chain_max);

  // Takes operations in order until one is refused (the error) or no record is free. What is taken
  // is handed over, but for the last few, which wait in staged() for Flush or for
  // Engine::SubmitAndReap.
  Status Stage(std::span<const Operation> operations, uint32_t* out_accepted);

  void Flush();
  // The staged requests, which the caller hands to the engine now.
  std::span<const Request> TakeStaged();

  // Cancels all in flight with this user_data; returns how many requests that took, 0 if none was
  // found, or nullopt if too many cancellations are under way. Their outcome is forgotten.
  std::optional<uint32_t> CancelDetached(uint64_t user_data);
  // Cancels everything in flight.
  void CancelAll();

  // Gives operations that repeat their next requests: those that the completion side handed over,
  // and those that waited for a buffer.
  void Resume();
  // There may be something to resume one day.
  bool has_multishots() const { return has_multishots_; }

 private:
  // These tell why they refuse, or null: a Status for each operation would be written to memory and
  // read again.
  const ErrorDetail* StageOne(const Operation& operation);
  const ErrorDetail* StageMemory(const Operation& operation, Record& record, Request& request);
  const ErrorDetail* StageSocket(const Operation& operation);
  const ErrorDetail* StageSegments(const Operation& operation, Record& record, Request& request);
  const ErrorDetail* StageMultishot(const Operation& operation);
  // Gives it a request, or has it wait.
  void Restart(uint32_t index);
  void RestartWaiting();
  // Has it end, at the next Resume if it has no request out.
  void CancelMultishot(uint32_t index);
  void FlushCancels();
  // The chain that `operations` begin with, all of it or none. Returns its length; 0 if it is
  // refused or finds no room.
  uint32_t StageChain(std::span<const Operation> operations, const ErrorDetail** refusal);
  // A CANCEL operation: one request per match. False if it is refused or the ring has no room for
  // them now.
  bool StageCancel(const Operation& operation, const ErrorDetail** refusal);
  // Length of the chain that begins with operations[0]: 0 if it does not end in the batch.
  static uint32_t ChainLength(std::span<const Operation> operations);
  // Takes back the operations staged since `staged` was the next.
  void Unstage(const Request* staged);
  void Reference(Registration* registration);
  // Of a record in flight: whether a cancellation of `user_data` means its operation.
  bool Matches(uint32_t index, uint64_t user_data) const;
  // Fills matches_. Returns how many.
  uint32_t CollectMatches(uint64_t user_data);
  // A request that cancels the operation of this record. The caller has counted it in
  // RingCore::cancels.
  void PushCancel(uint32_t index, uint64_t own_token);
  // The same, counted here and without a completion. False if too many cancellations are in flight.
  bool PushDetachedCancel(uint32_t index);

  RingCore& core_;
  RecordPool& records_;
  const uint32_t chain_max_;
  const std::unique_ptr<Request[]> staged_;
  const Request* const batch_end_;  // staged up to here, they are handed over
  Request* next_;                   // to be staged
  uint32_t extra_count_ =
      0;  // of the staged: requests that are not the first, or only, one of an operation
  MultishotStarter starter_;
  bool has_multishots_ = false;
  const std::unique_ptr<uint32_t[]> waiting_;  // for a buffer, oldest first
  uint32_t waiting_count_ = 0;
  const std::unique_ptr<uint32_t[]>
      matches_;  // CollectMatches; pages that it never uses cost nothing
  // References to one registration that were promised to staged operations, and are added together.
  Registration* batched_registration_ = nullptr;
  uint32_t batched_ref_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_SUBMITTER_H_
