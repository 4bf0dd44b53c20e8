#include "cpp/ring/ring_options.h"

#include <cinttypes>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/registration/slot_table.h"

namespace mooring {
namespace {

constexpr uint32_t kSubmissionCountMax = 32768;  // IORING_MAX_ENTRIES
constexpr uint32_t kCompletionCountMax = 65536;  // twice that
constexpr uint32_t kInFlightMax = 1u << 20;
constexpr uint32_t kFixedFileCountMax = 32768;
constexpr uint32_t kWorkerCountMax = 256;

struct Limit {
  const char* name;
  uint32_t value;
  uint32_t max;
};

Status CheckLimits(const RingOptions& options) {
  const Limit limits[] = {
      {"submission_count", options.submission_count, kSubmissionCountMax},
      {"completion_count", options.completion_count, kCompletionCountMax},
      {"in_flight_max", options.in_flight_max, kInFlightMax},
      {"fixed_buffer_count", options.fixed_buffer_count, SlotTable::kSlotCountMax},
      {"fixed_file_count", options.fixed_file_count, kFixedFileCountMax},
      {"worker_count", options.worker_count, kWorkerCountMax},
  };
  for (const Limit& limit : limits) {
    if (limit.value > limit.max) {
      return InvalidArgument(Format("%s is %" PRIu32 ", and at most %" PRIu32 " is possible",
                                    limit.name, limit.value, limit.max),
                             Format("pass at most %" PRIu32 ", or 0 for the default", limit.max));
    }
  }
  if (options.owner_thread && options.sqpoll) {
    return InvalidArgument(
        "OWNER_THREAD and SQPOLL exclude each other: with SQPOLL a kernel thread is the submitter",
        "pass one of the two flags");
  }
  if (options.sqpoll && options.engine == EngineKind::kThreads) {
    return InvalidArgument(
        "SQPOLL was requested together with the threads engine, which has no SQPOLL thread",
        "clear the SQPOLL flag, or request the io_uring engine");
  }
  return OkStatus();
}

}  // namespace

Result<EngineOptions> Normalise(const RingOptions& options) {
  RETURN_IF_ERROR(CheckLimits(options));
  EngineOptions engine;
  engine.kind = options.engine;
  engine.owner_thread = options.owner_thread;
  engine.sqpoll = options.sqpoll;
  engine.raise_memlock = options.raise_memlock;
  engine.submission_count =
      RoundUpToPowerOfTwo(options.submission_count ? options.submission_count : 128);
  engine.completion_count = RoundUpToPowerOfTwo(
      options.completion_count ? options.completion_count : engine.submission_count * 2);
  if (engine.completion_count < engine.submission_count) {
    return InvalidArgument(
        Format("completion_count is %" PRIu32 ", below submission_count, which is %" PRIu32,
               engine.completion_count, engine.submission_count),
        "pass a completion_count of at least submission_count, or 0 for twice as many");
  }
  engine.in_flight_max = options.in_flight_max ? options.in_flight_max : engine.completion_count;
  engine.fixed_buffer_count = options.fixed_buffer_count ? options.fixed_buffer_count : 1024;
  engine.fixed_file_count = options.fixed_file_count;
  engine.worker_count = options.worker_count;
  engine.sqpoll_idle_ms = options.sqpoll_idle_ms ? options.sqpoll_idle_ms : 1000;
  return engine;
}

}  // namespace mooring
