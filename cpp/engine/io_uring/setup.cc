#include "cpp/engine/io_uring/setup.h"

#include <algorithm>
#include <cerrno>
#include <span>

#include "cpp/base/checked.h"
#include "cpp/os/memlock.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {
namespace {

constexpr uint32_t kSubmissionCountMin = 8;
constexpr uint32_t kCompletionCountMin = 16;

// Since 5.6, and for every ring: the requested sizes, reduced to the kernel's maximum.
constexpr uint32_t kBase = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr uint32_t kSubmitAll = IORING_SETUP_SUBMIT_ALL;        // 5.18
constexpr uint32_t kNoSqArray = IORING_SETUP_NO_SQARRAY;        // 6.6
constexpr uint32_t kSingleIssuer = IORING_SETUP_SINGLE_ISSUER;  // 6.0
constexpr uint32_t kTaskrunFlag = IORING_SETUP_TASKRUN_FLAG;    // 5.19
constexpr uint32_t kCoopTaskrun = IORING_SETUP_COOP_TASKRUN | kTaskrunFlag;
constexpr uint32_t kDeferTaskrun = IORING_SETUP_DEFER_TASKRUN | kTaskrunFlag;  // 6.1

// For rings on which any thread submits and any other reaps. Without COOP_TASKRUN: with it, the
// task work of a request waits until its submitting thread next enters the kernel. A thread that
// reaps would wait too, for as long as the submitter computes.
constexpr uint32_t kAnyThread[] = {kBase | kSubmitAll | kNoSqArray, kBase | kSubmitAll, kBase};

// For rings on which one thread submits and reaps. Task work may wait until it enters the kernel.
constexpr uint32_t kOwnerThread[] = {
    kBase | kSubmitAll | kNoSqArray | kSingleIssuer | kDeferTaskrun,
    kBase | kSubmitAll | kSingleIssuer | kDeferTaskrun,
    kBase | kSubmitAll | kSingleIssuer | kCoopTaskrun,
    kBase | kSubmitAll | kCoopTaskrun,
    kBase | kSubmitAll,
    kBase,
};

// With SQPOLL, for which DEFER_TASKRUN and COOP_TASKRUN give EINVAL.
constexpr uint32_t kSqpollBase = kBase | IORING_SETUP_SQPOLL;
constexpr uint32_t kSqpoll[] = {kSqpollBase | kSubmitAll | kNoSqArray, kSqpollBase | kSubmitAll,
                                kSqpollBase};
constexpr uint32_t kSqpollOwner[] = {kSqpollBase | kSubmitAll | kNoSqArray | kSingleIssuer,
                                     kSqpollBase | kSubmitAll | kSingleIssuer,
                                     kSqpollBase | kSubmitAll, kSqpollBase};

std::span<const uint32_t> FlagSteps(const EngineOptions& options) {
  if (options.sqpoll)
    return options.owner_thread ? std::span<const uint32_t>(kSqpollOwner) : kSqpoll;
  return options.owner_thread ? std::span<const uint32_t>(kOwnerThread) : kAnyThread;
}

struct Sizes {
  uint32_t submission = 0;
  uint32_t completion = 0;

  bool Halve() {
    if (submission <= kSubmissionCountMin && completion <= kCompletionCountMin) return false;
    submission = std::max(submission / 2, std::min(submission, kSubmissionCountMin));
    completion = std::max({completion / 2, std::min(completion, kCompletionCountMin), submission});
    return true;
  }
};

io_uring_params ParamsOf(const EngineOptions& options, const Sizes& sizes, uint32_t flags) {
  io_uring_params params = {};
  params.flags = flags;
  params.cq_entries = sizes.completion;
  params.sq_thread_idle = options.sqpoll ? options.sqpoll_idle_ms : 0;
  return params;
}

// Tries the steps in order, until one does not fail with EINVAL. 0, or a negative errno.
int TrySteps(const UringCalls& calls, const EngineOptions& options, const Sizes& sizes,
             Uring* uring) {
  int result = -EINVAL;
  for (const uint32_t flags : FlagSteps(options)) {
    result = uring->Create(calls, ParamsOf(options, sizes, flags), sizes.submission);
    if (result != -EINVAL) break;
  }
  return result;
}

// Up to 5.12 the kernel rejects submissions (EBUSY) while completions wait for room in their queue.
// A queue with room for in_flight_max completions avoids this. 5.13 added buffer tags and accepts
// submissions in this state.
bool NeedsLargerCompletionQueue(const Uring& uring, const EngineOptions& options) {
  return !uring.HasFeature(IORING_FEAT_RSRC_TAGS) &&
         uring.params().cq_entries < options.in_flight_max;
}

// An estimate, because there is no ring yet.
uint64_t BytesOf(const Sizes& sizes) {
  io_uring_params params = {};
  params.features = IORING_FEAT_NATIVE_WORKERS;
  params.flags = IORING_SETUP_NO_SQARRAY;
  params.sq_entries = sizes.submission;
  params.cq_entries = sizes.completion;
  params.cq_off.cqes = 64;  // the rings' heads, tails and flags
  return Uring::ChargedBytes(params);
}

int TrySizes(const UringCalls& calls, const EngineOptions& options, Sizes* sizes, Uring* uring) {
  MemlockBackoff backoff;
  bool may_raise = options.raise_memlock;
  for (;;) {
    const int result = TrySteps(calls, options, *sizes, uring);
    if (result != -ENOMEM) return result;
    if (may_raise) {
      may_raise = false;
      const MemlockLimits limits = ReadMemlockLimits();
      if (limits.soft_bytes < limits.hard_bytes && RaiseMemlockSoftLimit().ok()) continue;
    }
    // The kernel releases the budget of a closed ring some time after the close. Waiting does not
    // help when even the whole budget is too small.
    const uint64_t room = MemlockLedger::RoomUnder(ReadMemlockLimits().soft_bytes);
    if (BytesOf(*sizes) <= room && backoff.Wait()) continue;
    // Large queues can also fail for lack of contiguous memory.
    if (!sizes->Halve()) return result;
  }
}

}  // namespace

bool SetUpUring(const UringCalls& calls, const EngineOptions& options, Uring* uring,
                Unavailability* why) {
  const Sizes wanted = {.submission = options.submission_count,
                        .completion = options.completion_count};
  Sizes sizes = wanted;
  const int result = TrySizes(calls, options, &sizes, uring);
  const bool no_sqpoll =
      result == 0 && options.sqpoll && !uring->HasFeature(IORING_FEAT_SQPOLL_NONFIXED);
  if (options.sqpoll && (result == -EINVAL || result == -EPERM || result == -EACCES || no_sqpoll)) {
    uring->Close();
    EngineOptions plain = options;
    plain.sqpoll = false;
    if (!SetUpUring(calls, plain, uring, why)) return false;
    if (options.kind != EngineKind::kIoUring) return true;
    uring->Close();
    *why = ExplainNoSqpoll(no_sqpoll ? -EINVAL : result);
    return false;
  }
  if (result == -ENOMEM) {
    *why = ExplainNoMemory({.wanted = BytesOf(wanted), .smallest = BytesOf(sizes)},
                           ReadMemlockLimits());
    return false;
  }
  if (result != 0) {
    *why = ExplainSetupFailure(calls, result);
    return false;
  }
  if (!NeedsLargerCompletionQueue(*uring, options)) return true;
  Uring larger;
  const Sizes larger_sizes = {.submission = sizes.submission,
                              .completion = RoundUpToPowerOfTwo(options.in_flight_max)};
  // Where the larger queue is not available, requests may fail with EBUSY.
  if (TrySteps(calls, options, larger_sizes, &larger) == 0) uring->Swap(larger);
  return true;
}

}  // namespace mooring
