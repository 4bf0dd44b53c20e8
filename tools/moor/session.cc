#include "tools/moor/session.h"

#include "tools/moor/failure.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr int64_t kStopTimeoutNanoseconds = 2'000'000'000;

// Enough to submit all chunks of a default window in one call. Small enough for the smallest
// memlock limit in use, since Linux 6.14 charges rings: 64 entries need 8 KiB of 64 KiB.
constexpr uint32_t kSubmissionCount = 64;

// One operation per chunk, and one more.
constexpr uint32_t kInFlightMax = 1024 + 1;

// Upper bound of the memlock charge of such a ring, with a margin for other kernels.
constexpr uint64_t kRingBytesMax = 64 << 10;

// The remedy of a ring that failed because of memlock names only the need of the ring. With a limit
// raised by only that amount, the slab would fail next. So this adds the sum and the limit.
std::string WithMemlockNumbers(const std::string& remedy, mooring_policy_t policy,
                               const SlabPlan& plan) {
  mooring_facts_t facts = {};
  facts.struct_size = sizeof facts;
  Check(mooring_facts_get(&facts));
  const bool pins = policy != MOORING_POLICY_NEVER;
  const uint64_t need = kRingBytesMax + (pins ? plan.total_bytes() : 0);
  return remedy + "; RLIMIT_MEMLOCK is " + FormatBytes(facts.memlock_soft_bytes) + " now, and " +
         (pins ? "ring and slab together need " : "the ring needs at most ") + FormatBytes(need) +
         " (ulimit -l " + std::to_string(need / 1024) + ")";
}

}  // namespace

Session::Session(const TransferOptions& options, const SlabPlan& plan) {
  CreateRing(options, plan);
  CreateSlab(plan);
  Register(options.policy);
}

Session::~Session() = default;

void Session::CreateRing(const TransferOptions& options, const SlabPlan& plan) {
  mooring_ring_options_t ring_options = MOORING_RING_OPTIONS_INIT;
  ring_options.flags = MOORING_RING_OWNER_THREAD;
  ring_options.engine = options.engine;
  ring_options.submission_count = kSubmissionCount;
  ring_options.in_flight_max = kInFlightMax;
  mooring_ring_t* ring = nullptr;
  mooring_error_t* error = mooring_ring_create(&ring_options, &ring);
  const bool memlock = mooring_error_code(error) == MOORING_CODE_MEMLOCK_LIMIT;
  try {
    Check(error);
  } catch (const Failure& failure) {
    if (!memlock) {
      throw;
    }
    throw Failure(failure.message(), WithMemlockNumbers(failure.remedy(), options.policy, plan));
  }
  ring_.reset(ring);
  ring_info_.struct_size = sizeof ring_info_;
  Check(mooring_ring_get_info(ring_.get(), &ring_info_));
  engine_remedy_ = ring_info_.remedy;
  if (ring_info_.engine_reason == MOORING_ENGINE_REASON_MEMLOCK_LIMIT) {
    engine_remedy_ = WithMemlockNumbers(engine_remedy_, options.policy, plan);
  }
}

void Session::CreateSlab(const SlabPlan& plan) {
  mooring_slab_options_t slab_options = MOORING_SLAB_OPTIONS_INIT;
  slab_options.buffer_bytes = plan.buffer_bytes;
  slab_options.buffer_count = plan.buffer_count;
  mooring_slab_t* slab = nullptr;
  Check(mooring_slab_create(&slab_options, &slab));
  slab_.reset(slab);
  slab_info_.struct_size = sizeof slab_info_;
  Check(mooring_slab_get_info(slab_.get(), &slab_info_));
}

void Session::Register(mooring_policy_t policy) {
  mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
  options.policy = policy;
  mooring_registration_t* registration = nullptr;
  try {
    Check(mooring_registration_create(ring_.get(), slab_.get(), &options, &registration));
  } catch (const Failure& failure) {
    if (engine_remedy_.empty()) {
      throw;
    }
    // Memory cannot be pinned without io_uring, so the remedy is that of the engine.
    throw Failure(failure.message() + "; " + ring_info_.message, engine_remedy_);
  }
  registration_.reset(registration);
  registration_info_.struct_size = sizeof registration_info_;
  Check(mooring_registration_get_info(registration_.get(), &registration_info_));
}

mooring_ring_stats_t Session::stats() const {
  mooring_ring_stats_t stats = {};
  stats.struct_size = sizeof stats;
  Check(mooring_ring_get_stats(ring_.get(), &stats));
  return stats;
}

std::string Session::RegistrationRemedy() const {
  if (registration_info_.reason == MOORING_REASON_ENGINE_THREADS && !engine_remedy_.empty()) {
    return engine_remedy_;
  }
  return registration_info_.remedy;
}

void Session::Stop() {
  // After a timeout, operations may still be in flight; the slab stays mapped for them (slab.h).
  mooring_error_destroy(mooring_ring_close(ring_.get(), kStopTimeoutNanoseconds));
}

}  // namespace moor
