#include "cpp/engine/create_engine.h"

#include <atomic>
#include <cerrno>
#include <utility>

#include "cpp/engine/io_uring/features.h"
#include "cpp/engine/io_uring/io_uring_engine.h"
#include "cpp/engine/io_uring/setup.h"
#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/threads/threads_engine.h"
#include "cpp/os/memlock.h"

namespace mooring {
namespace {

// The smallest ring, with one slot in each table to find out whether tables work.
constexpr EngineOptions kProbeOptions = {
    .owner_thread = true,
    .submission_count = 8,
    .completion_count = 16,
    .in_flight_max = 16,
    .fixed_buffer_count = 1,
    .fixed_file_count = 1,
};

Result<std::unique_ptr<Engine>> CreateThreads(const EngineOptions& options, Unavailability why) {
  ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine, CreateThreadsEngine(options));
  engine->SetReason(why.reason, why.system_error, std::move(why.message), std::move(why.remedy));
  return engine;
}

// Features that the ring of the probe does not show.
uint64_t ProbeMoreFeatures() {
  uint64_t features = 0;
  Unavailability ignored;
  {
    Uring source;
    if (SetUpUring(kKernelCalls, kProbeOptions, &source, &ignored))
      features |= TryClone(kKernelCalls, source);
  }
  EngineOptions options = kProbeOptions;
  options.kind = EngineKind::kIoUring;  // so that a ring without SQPOLL is not accepted
  options.sqpoll = true;
  Uring sqpoll_ring;
  if (SetUpUring(kKernelCalls, options, &sqpoll_ring, &ignored)) features |= kFeatureSqpoll;
  return features;
}

}  // namespace

Result<std::unique_ptr<Engine>> CreateEngine(const EngineOptions& options) {
  switch (options.kind) {
    case EngineKind::kThreads:
      return CreateThreads(options, {.reason = EngineReason::kPolicy,
                                     .message = "the caller chose the threads engine"});
    case EngineKind::kAuto:
    case EngineKind::kIoUring:
      break;
    default:
      return InvalidArgument("unknown engine kind", "choose auto, io_uring or threads");
  }
  Unavailability why;
  if (std::unique_ptr<Engine> engine = CreateIoUringEngine(options, &why)) return engine;
  const bool may_fall_back = options.kind == EngineKind::kAuto && why.reason != EngineReason::kNone;
  return may_fall_back ? CreateThreads(options, std::move(why)) : why.ToStatus();
}

EngineInfo ProbeEngine() {
  Unavailability why;
  EngineInfo info;
  if (const std::unique_ptr<Engine> engine = CreateIoUringEngine(kProbeOptions, &why)) {
    info = engine->info();
    info.features |= ProbeMoreFeatures();
    return info;
  }
  info.kind = EngineKind::kThreads;
  info.reason = why.reason;
  info.system_error = why.system_error;
  info.message = std::move(why.message);
  info.remedy = std::move(why.remedy);
  info.memlock_exempt = ReadMemlockLimits().exempt;
  return info;
}

bool RingsAreCharged() {
  // 0: unknown, 1: charged, 2: not charged. It cannot change while the kernel runs, so any thread
  // may set it.
  static std::atomic<int> known{0};
  if (const int value = known.load(std::memory_order_relaxed); value != 0) return value == 1;
  Uring uring;
  const int result = uring.Create(kKernelCalls, io_uring_params{}, 1);
  if (result == 0) {
    const bool charged = uring.KernelChargesRings();
    known.store(charged ? 1 : 2, std::memory_order_relaxed);
    return charged;
  }
  // Where there is a limit, ENOMEM for a ring of two pages shows that rings are charged.
  const MemlockLimits limits = ReadMemlockLimits();
  return result == -ENOMEM && !limits.exempt && limits.soft_bytes != UINT64_MAX;
}

}  // namespace mooring
