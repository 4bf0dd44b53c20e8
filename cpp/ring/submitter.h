// Submitter: the submission side of a ring. It checks operations, holds their leases, chooses their
// path and submits them to the engine as requests, in batches.
//
// Threading: called on the submission side, one call at a time.
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
  MessagePool* messages = nullptr;       // one message per record
  MultishotTable* multishots = nullptr;  // one entry per record
  RingCounters counters;
  // How many requests were submitted to the engine. A release store on the submission side and an
  // acquire load on the completion side order the contents of records between them: the kernel's
  // queues do so in practice, but not in the C++ memory model.
  std::atomic<uint64_t> requests_published{0};
  // Cancel requests in flight. They have no records of their own.
  std::atomic<uint32_t> cancels{0};

  ZeroCopyHints zero_copy = {};
};

class Submitter {
 public:
  Submitter(RingCore& core, uint32_t chain_max);

  // Accepts operations in order until one is refused (the error) or no record is free. Submits full
  // batches to the engine. The requests of the last, partial batch stay staged until Flush or
  // TakeStaged.
  Status Stage(std::span<const Operation> operations, uint32_t* out_accepted);

  void Flush();
  // Returns the staged requests, which the caller must submit to the engine immediately
  // (Engine::SubmitAndReap).
  std::span<const Request> TakeStaged();

  // Cancels all operations in flight with this user_data, without a completion for the
  // cancellation. Returns how many it found, or nullopt if too many cancellations are in flight.
  std::optional<uint32_t> CancelDetached(uint64_t user_data);
  // Cancels all operations in flight.
  void CancelAll();

  // Stages and flushes the next requests of multishot operations: of those that the completion side
  // has queued, and of those that waited for a buffer.
  void Resume();
  // Whether the ring ever had a multishot operation.
  bool has_multishots() const { return has_multishots_; }

 private:
  // These return why they refuse the operation, or null. A Status per operation would be slower: it
  // is written to memory and read again.
  const ErrorDetail* StageOne(const Operation& operation);
  const ErrorDetail* StageMemory(const Operation& operation, Record& record, Request& request);
  const ErrorDetail* StageSocket(const Operation& operation);
  const ErrorDetail* StageSegments(const Operation& operation, Record& record, Request& request);
  const ErrorDetail* StageMultishot(const Operation& operation);
  // Stages the next request of a multishot operation, or adds it to waiting_.
  void Restart(uint32_t index);
  void RestartWaiting();
  // Cancels the request in flight. Without one, the operation ends at the next Resume.
  void CancelMultishot(uint32_t index);
  void FlushCancels();
  // Stages the whole chain that begins with operations[0], or nothing. Returns its length, or 0 if
  // it is refused or there is no room.
  uint32_t StageChain(std::span<const Operation> operations, const ErrorDetail** refusal);
  // Stages a CANCEL operation: one request per match. False if it is refused, or if there is no
  // room for all its requests now.
  bool StageCancel(const Operation& operation, const ErrorDetail** refusal);
  // Length of the chain that begins with operations[0], or 0 if it does not end in the batch.
  static uint32_t ChainLength(std::span<const Operation> operations);
  // Removes the staged requests from `first` on, with what their operations hold.
  void Unstage(const Request* first);
  void Reference(Registration* registration);
  // For a record in flight: whether a cancellation of `user_data` cancels its operation.
  bool Matches(uint32_t index, uint64_t user_data) const;
  // Stores the indices of all matching records in matches_. Returns how many there are.
  uint32_t CollectMatches(uint64_t user_data);
  // Stages a request that cancels the operation of this record. The caller has counted it in
  // RingCore::cancels.
  void PushCancel(uint32_t index, uint64_t own_token);
  // The same, but counts it, and it has no completion. False if too many cancellations are in
  // flight.
  bool PushDetachedCancel(uint32_t index);

  RingCore& core_;
  RecordPool& records_;
  const uint32_t chain_max_;
  const std::unique_ptr<Request[]> staged_;
  const Request* const batch_end_;  // when next_ reaches it, the batch is full
  Request* next_;                   // end of the staged requests
  // Staged requests that do not count as a submitted operation.
  uint32_t extra_count_ = 0;
  MultishotStarter starter_;
  bool has_multishots_ = false;
  // Multishot operations that wait for a buffer, oldest first.
  const std::unique_ptr<uint32_t[]> waiting_;
  uint32_t waiting_count_ = 0;
  // Result of CollectMatches. Pages that it never writes use no memory.
  const std::unique_ptr<uint32_t[]> matches_;
  // References to one registration that staged operations need. One call adds them all.
  Registration* batched_registration_ = nullptr;
  uint32_t batched_ref_count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_SUBMITTER_H_
