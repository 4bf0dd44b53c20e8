// Ring: the ring of the C interface. It takes operations on leases, descriptors and paths, and
// returns one final completion for each, on the engine that the machine allows.
//
// Lifecycle: Create, then Destroy once. Destroy does not wait for the kernel: a ring with
// operations in flight lingers in the RingRegistry, with the memory they use, until their events
// have arrived. Calls on other rings collect those events.
//
// Threading: as mooring/ring.h describes: one call at a time on the submission side and one on the
// completion side, which may run at the same time on two threads.
#ifndef MOORING_CPP_RING_RING_H_
#define MOORING_CPP_RING_RING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "cpp/base/deadline.h"
#include "cpp/base/result.h"
#include "cpp/engine/engine.h"
#include "cpp/os/process.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/registration.h"
#include "cpp/ring/completer.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/record_pool.h"
#include "cpp/ring/ring_options.h"
#include "cpp/ring/ring_stats.h"
#include "cpp/ring/side_lock.h"
#include "cpp/ring/side_quiescer.h"
#include "cpp/ring/submitter.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class Ring {
 public:
  static Result<Ring*> Create(const RingOptions& options);
  // Takes ownership of `ring`, which may be null.
  static void Destroy(Ring* ring);

  Status Submit(std::span<const Operation> operations, uint32_t* out_accepted);
  Status Reap(std::span<Completion> completions, uint32_t min_count, Deadline deadline,
              uint32_t* out_count);
  Status SubmitAndReap(std::span<const Operation> operations, uint32_t* out_accepted,
                       std::span<Completion> completions, uint32_t min_count, Deadline deadline,
                       uint32_t* out_count);
  Status Cancel(uint64_t user_data, uint32_t* out_count);
  Status SetFile(uint32_t index, int fd);
  Result<int> EventFd();
  Status Close(Deadline deadline);
  Result<RefPtr<Registration>> Register(RefPtr<Slab> slab, const RegistrationOptions& options);

  const EngineInfo& info() const { return info_; }
  uint32_t in_flight_max() const { return records_.capacity(); }
  RingStats Stats() const;
  bool Forked() const { return process_ != CurrentProcess(); }

  // For the registry. Collects the engine's events without waiting, if this thread may and no other
  // thread is on the completion side.
  void Pump();
  // For the registry. True if nothing is in flight, so that the ring can be deleted.
  bool IsFinished() const;
  const BufferTable* table() const { return table_.get(); }

 private:
  friend class RingRegistry;

  Ring(std::unique_ptr<Engine> engine, const EngineOptions& options);
  ~Ring();

  Status EnterSubmission();
  Status EnterCompletion();
  // While closing: cancels and collects events until nothing is in flight.
  Status Drain(Deadline deadline);
  // Does the work that other threads or calls have left (BufferTable::has_deferred). For a caller
  // inside `held`. Cheap when there is none.
  void RunDeferred(Sides held) {
    if (table_->has_deferred()) [[unlikely]]
      RunDeferredSlow(held);
  }
  void RunDeferredSlow(Sides held);
  // Leaves the submission side, and resumes multishot operations if that was requested while this
  // thread was inside.
  void LeaveSubmission();
  // On the completion side: runs deferred work and resumes multishot operations. For a thread that
  // is inside `held`.
  void Resume(Sides held) {
    RunDeferred(held);
    if (multishots_.resume_requested()) [[unlikely]]
      ResumeSlow(held);
  }
  void ResumeSlow(Sides held);

  // Leaves the submission side at the end of a scope. The side must have been entered.
  class SubmissionGuard {
   public:
    explicit SubmissionGuard(Ring& ring) : ring_(ring) {}
    ~SubmissionGuard() { ring_.LeaveSubmission(); }
    SubmissionGuard(const SubmissionGuard&) = delete;
    SubmissionGuard& operator=(const SubmissionGuard&) = delete;

   private:
    Ring& ring_;
  };

  void CancelAllOnce();
  void RefuseNewWork();

  const ProcessToken process_;
  std::unique_ptr<Engine> engine_;
  const EngineInfo info_;
  SideQuiescer quiescer_;
  const RefPtr<BufferTable> table_;
  RecordPool records_;
  MessagePool messages_;
  MultishotTable multishots_;
  RingCore core_;
  Submitter submitter_;
  Completer completer_;
  SideLock submission_;
  SideLock completion_;
  std::atomic<bool> closed_{false};
  bool is_destroyed_ = false;  // guarded by the registry's lock
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_H_
