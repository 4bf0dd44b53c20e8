#include "cpp/ring/ring.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/base/format.h"
#include "cpp/engine/create_engine.h"
#include "cpp/registration/registration_registry.h"
#include "cpp/ring/operation_errors.h"
#include "cpp/ring/ring_registry.h"

namespace mooring {
namespace {

// How long Destroy waits for cancelled operations before it leaves them to the registry.
constexpr int64_t kDestroyGraceNs = 5'000'000;
constexpr int64_t kCancelAgainNs = 20'000'000;

}  // namespace

Ring::Ring(std::unique_ptr<Engine> engine, const EngineOptions& options)
    : process_(CurrentProcess()),
      engine_(std::move(engine)),
      info_(engine_->info()),
      quiescer_(core_, submission_, completion_),
      table_(MakeRef<BufferTable>(engine_.get(), &quiescer_)),
      records_(options.in_flight_max),
      messages_(options.in_flight_max),
      multishots_(options.in_flight_max),
      core_{engine_.get(), table_.get(), &records_, &messages_, &multishots_, {}, {}, {}, {}},
      submitter_(core_, std::min(info_.submission_count, options.in_flight_max)),
      completer_(core_) {}

Ring::~Ring() {
  CHECK(IsFinished());
  table_->Detach();
  engine_.reset();
}

Result<Ring*> Ring::Create(const RingOptions& options) {
  ASSIGN_OR_RETURN(const EngineOptions wanted, Normalise(options));
  RingRegistry::PumpAll();  // lingering rings are charged to RLIMIT_MEMLOCK
  EngineOptions engine_options = wanted;
  engine_options.in_flight_max = wanted.in_flight_max * 2;  // and as many cancellations
  ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine, CreateEngine(engine_options));
  Ring* ring = new Ring(std::move(engine), wanted);
  RingRegistry::Add(ring);
  return ring;
}

void Ring::Destroy(Ring* ring) {
  if (ring == nullptr) return;
  if (ring->Forked()) {
    // The child closes its copy of the descriptor, which would keep the parent's pins. It does not
    // use the rest, whose locks may have been held at the fork.
    ring->engine_.reset();
    return;
  }
  ring->RefuseNewWork();
  if (ring->engine_->WorksOnThisThread() && !ring->IsFinished()) {
    // The caller guarantees that no other call is running, so both sides are free. The registry
    // waits for the operations that remain.
    (void)ring->Drain(Deadline::After(kDestroyGraceNs));
  }
  RingRegistry::Retire(ring);
  RegistrationRegistry::PromoteWaiting();
}

Status Ring::EnterSubmission() {
  if (Forked()) return Status(kForkedRing);
  if (!engine_->IsOwner()) return Status(kNotOwner);
  if (!submission_.TryEnter()) return Status(kSecondSubmitter);
  return OkStatus();
}

Status Ring::EnterCompletion() {
  if (Forked()) return Status(kForkedRing);
  if (!engine_->IsOwner()) return Status(kNotOwner);
  if (!completion_.TryEnter()) return Status(kSecondReaper);
  return OkStatus();
}

void Ring::RunDeferredSlow(Sides held) {
  if (table_->ConsumeBufferCheckRequest()) multishots_.RequestResume();
  const SideQuiescer::EnteredSides entered(quiescer_, held);
  const ChangeScope scope(table_->kernel_table());
  if (!scope.is_granted()) return;
  table_->RunDeferred();
  if (table_->ConsumePromotionRequest()) RegistrationRegistry::PromoteForOwner(*table_);
}

// A thread that needs this side while it is busy leaves a request for the thread inside.
void Ring::LeaveSubmission() {
  if (!submitter_.has_multishots()) [[likely]] {
    submission_.Leave();
    return;
  }
  submission_.LeaveSeqCst();
  while (multishots_.resume_requested() && submission_.TryEnterInternally()) {
    submitter_.Resume();
    submission_.LeaveSeqCst();
  }
}

void Ring::ResumeSlow(Sides held) {
  if (held == Sides::kBoth) {
    submitter_.Resume();
    return;
  }
  if (!submission_.TryEnterInternally()) return;
  SubmissionGuard guard(*this);
  submitter_.Resume();
}

Status Ring::Submit(std::span<const Operation> operations, uint32_t* out_accepted) {
  *out_accepted = 0;
  RETURN_IF_ERROR(EnterSubmission());
  SubmissionGuard guard(*this);
  if (closed_.load(std::memory_order_acquire)) return Status(kClosed);
  RunDeferred(Sides::kSubmission);
  Status status = submitter_.Stage(operations, out_accepted);
  submitter_.Flush();
  return status;
}

Status Ring::Reap(std::span<Completion> completions, uint32_t min_count, Deadline deadline,
                  uint32_t* out_count) {
  *out_count = 0;
  if (completions.empty() || min_count > completions.size()) return Status(kBadCapacity);
  RETURN_IF_ERROR(EnterCompletion());
  SideGuard guard(completion_);
  Resume(Sides::kCompletion);
  for (;;) {
    // On a closed ring with nothing in flight, a wait would last until the deadline.
    if (closed_.load(std::memory_order_acquire)) {
      if (completer_.in_flight() == 0) min_count = 0;
      if (completer_.in_flight() == 0 && completer_.backlog_count() == 0 && *out_count == 0)
        return Status(kClosed);
    }
    const uint32_t wanted = min_count > *out_count ? min_count - *out_count : 0;
    *out_count += completer_.Reap({}, completions.subspan(*out_count), wanted, deadline);
    Resume(Sides::kCompletion);  // the completions may have made deferred work possible
    if (*out_count >= min_count || deadline.Passed()) return OkStatus();
    // Close waits for this side on another thread.
    if (closed_.load(std::memory_order_acquire)) return OkStatus();
  }
}

Status Ring::SubmitAndReap(std::span<const Operation> operations, uint32_t* out_accepted,
                           std::span<Completion> completions, uint32_t min_count, Deadline deadline,
                           uint32_t* out_count) {
  *out_accepted = 0;
  *out_count = 0;
  if (completions.empty() || min_count > completions.size()) return Status(kBadCapacity);
  if (operations.empty()) return Reap(completions, min_count, deadline, out_count);
  RETURN_IF_ERROR(EnterSubmission());
  SubmissionGuard submission_guard(*this);
  if (closed_.load(std::memory_order_acquire)) return Status(kClosed);
  RETURN_IF_ERROR(EnterCompletion());
  SideGuard completion_guard(completion_);
  RunDeferred(Sides::kBoth);
  Status status = submitter_.Stage(operations, out_accepted);
  if (!status.ok()) {
    submitter_.Flush();
    return status;
  }
  *out_count = completer_.Reap(submitter_.TakeStaged(), completions, min_count, deadline);
  Resume(Sides::kBoth);
  while (*out_count < min_count && !deadline.Passed() && !closed_.load(std::memory_order_acquire)) {
    *out_count +=
        completer_.Reap({}, completions.subspan(*out_count), min_count - *out_count, deadline);
    Resume(Sides::kBoth);
  }
  return status;
}

Status Ring::Cancel(uint64_t user_data, uint32_t* out_count) {
  *out_count = 0;
  RETURN_IF_ERROR(EnterSubmission());
  SubmissionGuard guard(*this);
  if (closed_.load(std::memory_order_acquire)) return Status(kClosed);
  const std::optional<uint32_t> found = submitter_.CancelDetached(user_data);
  if (!found) return Status(kTooManyCancels);
  *out_count = *found;
  return *found == 0 ? Status(kNothingToCancel) : OkStatus();
}

Status Ring::SetFile(uint32_t index, int fd) {
  RETURN_IF_ERROR(EnterSubmission());
  SubmissionGuard guard(*this);
  if (closed_.load(std::memory_order_acquire)) return Status(kClosed);
  if (index >= info_.fixed_file_count) {
    return InvalidArgument(
        Format("index %" PRIu32 " is past the end of the ring's file table, which has %" PRIu32
               " slots",
               index, info_.fixed_file_count),
        "create the ring with a larger fixed_file_count");
  }
  const int done = engine_->SetFile(index, fd);
  if (done == 0) return OkStatus();
  if (done == -EBADF) {
    return InvalidArgument(Format("descriptor %d is not open", fd),
                           "pass an open descriptor, or -1 to empty the slot");
  }
  return ErrnoStatus(-done, Format("putting descriptor %d into slot %" PRIu32, fd, index),
                     "use the descriptor itself instead of the file table");
}

Result<int> Ring::EventFd() {
  RETURN_IF_ERROR(EnterCompletion());
  SideGuard guard(completion_);
  return engine_->EventFd();
}

Result<RefPtr<Registration>> Ring::Register(RefPtr<Slab> slab, const RegistrationOptions& options) {
  if (Forked()) return Status(kForkedRing);
  if (closed_.load(std::memory_order_acquire)) return Status(kClosed);
  return Registration::Create(table_, std::move(slab), options);
}

RingStats Ring::Stats() const {
  RingStats stats = core_.counters.Read();
  const EngineCounters engine = engine_->counters();
  stats.system_calls = engine.system_calls;
  stats.overflow_count = engine.overflows;
  return stats;
}

bool Ring::IsFinished() const {
  // This does not wait for buffer tags: with no operation in flight, the kernel does not write to
  // the pages. On a destroyed ring it does not wait for cancellations either: no caller needs their
  // results, and only the owner thread, which may have ended, could collect some of them (after an
  // overflow of the completion queue, with SINGLE_ISSUER).
  return completer_.in_flight() == 0 &&
         (is_destroyed_ || core_.cancels.load(std::memory_order_acquire) == 0);
}

void Ring::Pump() {
  if (Forked()) return;
  // A destroyed ring has no callers, so any thread that the engine accepts may do the owner's work.
  const bool works_here = is_destroyed_ ? engine_->WorksOnThisThread() : engine_->IsOwner();
  if (!works_here && !is_destroyed_) return;
  // If the thread that destroyed the ring was not allowed to cancel, this one does.
  if (works_here && closed_.load(std::memory_order_acquire) && !IsFinished()) CancelAllOnce();
  if (!completion_.TryEnterInternally()) return;
  SideGuard guard(completion_);
  if (works_here) RunDeferred(Sides::kCompletion);
  completer_.ReapIntoBacklog(Deadline());
  if (works_here) Resume(Sides::kCompletion);
}

Status Ring::Close(Deadline deadline) {
  if (Forked()) return Status(kForkedRing);
  if (!engine_->IsOwner()) return Status(kNotOwner);
  RefuseNewWork();
  return Drain(deadline);
}

void Ring::RefuseNewWork() {
  closed_.store(true, std::memory_order_release);
  table_->Close();
  // A reaper may be waiting for more completions than there are operations in flight. Only a
  // wake-up ends that wait.
  engine_->Wake();
}

void Ring::CancelAllOnce() {
  if (!submission_.TryEnterInternally()) return;
  SubmissionGuard guard(*this);
  submitter_.CancelAll();
}

// Cancels, collects events, and cancels again every kCancelAgainNs, because a chain may have
// started its next operation. Not after every event: with an operation that cannot be cancelled,
// this would be a busy loop.
Status Ring::Drain(Deadline deadline) {
  CancelAllOnce();
  Deadline next_cancel = Deadline::After(kCancelAgainNs);
  while (!IsFinished()) {
    if (completion_.TryEnterInternally()) {
      SideGuard guard(completion_);
      if (!IsFinished()) completer_.ReapIntoBacklog(Deadline::Earlier(deadline, next_cancel));
      Resume(Sides::kCompletion);
    } else {
      // A reaper waits on another thread. It leaves when it sees that the ring is closed.
      engine_->Wake();
      const timespec pause{0, 50'000};
      nanosleep(&pause, nullptr);
    }
    if (IsFinished()) break;
    if (deadline.Passed()) {
      return Status(
          Code::kTimeout, Retry::kLater,
          Format("%" PRIu64 " operations are still in flight: the kernel has not finished them",
                 completer_.in_flight()),
          "call close again with more time, or destroy the ring: their memory is kept until they "
          "finish");
    }
    if (!next_cancel.Passed()) continue;
    CancelAllOnce();
    next_cancel = Deadline::After(kCancelAgainNs);
  }
  return OkStatus();
}

}  // namespace mooring
