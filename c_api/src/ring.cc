#include "mooring/ring.h"

#include "c_api/src/handles.h"
#include "c_api/src/structs.h"
#include "cpp/base/deadline.h"

namespace mooring::c_api {
namespace {

// Batches are not copied: the records of the C interface and of cpp/ring have one layout.
static_assert(sizeof(mooring_op_t) == sizeof(Operation) &&
              alignof(mooring_op_t) == alignof(Operation));
static_assert(offsetof(mooring_op_t, registration) == offsetof(Operation, registration));
static_assert(offsetof(mooring_op_t, offset) == offsetof(Operation, offset));
static_assert(offsetof(mooring_op_t, parameter) == offsetof(Operation, parameter));
static_assert(sizeof(mooring_completion_t) == sizeof(Completion));
static_assert(offsetof(mooring_completion_t, result) == offsetof(Completion, result));
static_assert(offsetof(mooring_completion_t, path) == offsetof(Completion, path));
static_assert(MOORING_OPCODE_CANCEL == static_cast<uint16_t>(Opcode::kCancel));
static_assert(MOORING_OPCODE_RECVMSG == static_cast<uint16_t>(Opcode::kRecvmsg));
static_assert(sizeof(mooring_segment_t) == sizeof(Segment));
static_assert(offsetof(mooring_segment_t, size) == offsetof(Segment, size));
static_assert(MOORING_SEGMENT_COUNT_MAX == kSegmentCountMax);
static_assert(MOORING_OPERATION_FIXED_FILE == uint16_t{kRequestFixedFile});
static_assert(MOORING_OPERATION_LINK == uint16_t{kRequestLink});
static_assert(MOORING_OPERATION_BYTES_MAX == kTransferBytesMax);
static_assert(MOORING_SEND_COPY == static_cast<uint32_t>(SendKind::kCopy));
static_assert(MOORING_PATH_COPY == static_cast<uint32_t>(Path::kCopy));
static_assert(MOORING_FEATURE_SUBMIT_ALL == kFeatureSubmitAll);
static_assert(MOORING_FEATURE_ACCEPT_MULTISHOT == kFeatureAcceptMultishot);
static_assert(MOORING_FEATURE_RECV_MULTISHOT == kFeatureRecvMultishot);
static_assert(MOORING_ENGINE_REASON_IO_URING_MISSING ==
              static_cast<uint32_t>(EngineReason::kIoUringMissing));

static_assert(sizeof(mooring_ring_options_t) == 40,
              "c_api/src/ring.cc: set the new field in ToOptions, then change the size here");
static_assert(sizeof(mooring_ring_info_t) == 832,
              "c_api/src/ring.cc: set the new field in ToInfo, then change the size here");
static_assert(sizeof(mooring_ring_stats_t) ==
                  offsetof(mooring_ring_stats_t, submitted) + sizeof(RingStats),
              "mooring_ring_stats_t has a counter that is not in MOORING_RING_STATS: add it there, "
              "in cpp/ring/ring_stats.h; then run: bazel test //c_api:layout_test");

constexpr uint32_t kKnownFlags =
    MOORING_RING_OWNER_THREAD | MOORING_RING_SQPOLL | MOORING_RING_RAISE_MEMLOCK;

std::span<const Operation> ToOperations(const mooring_op_t* operations, uint32_t count) {
  return {reinterpret_cast<const Operation*>(operations), count};
}

std::span<Completion> ToCompletions(mooring_completion_t* completions, uint32_t capacity) {
  return {reinterpret_cast<Completion*>(completions), capacity};
}

Result<RingOptions> ToOptions(const mooring_ring_options_t* given) {
  mooring_ring_options_t options;
  RETURN_IF_ERROR(ReadOptions(given, &options, "mooring_ring_options_t"));
  RETURN_IF_ERROR(UnknownFlags(options.flags, kKnownFlags, "mooring_ring_options_t"));
  if (options.engine > MOORING_ENGINE_THREADS) {
    return InvalidArgument("mooring_ring_options_t.engine is " + std::to_string(options.engine),
                           "pass AUTO, IO_URING or THREADS");
  }
  return RingOptions{
      .engine = static_cast<EngineKind>(options.engine),
      .owner_thread = (options.flags & MOORING_RING_OWNER_THREAD) != 0,
      .sqpoll = (options.flags & MOORING_RING_SQPOLL) != 0,
      .raise_memlock = (options.flags & MOORING_RING_RAISE_MEMLOCK) != 0,
      .submission_count = options.submission_count,
      .completion_count = options.completion_count,
      .in_flight_max = options.in_flight_max,
      .fixed_buffer_count = options.fixed_buffer_count,
      .fixed_file_count = options.fixed_file_count,
      .worker_count = options.worker_count,
      .sqpoll_idle_ms = options.sqpoll_idle_ms,
  };
}

mooring_ring_info_t ToInfo(const Ring& ring) {
  const EngineInfo& from = ring.info();
  mooring_ring_info_t info = {};
  if (from.owner_thread) info.flags |= MOORING_RING_OWNER_THREAD;
  if (from.sqpoll) info.flags |= MOORING_RING_SQPOLL;
  info.engine = static_cast<mooring_engine_t>(from.kind);
  info.engine_reason = static_cast<mooring_engine_reason_t>(from.reason);
  info.system_error = from.system_error;
  info.submission_count = from.submission_count;
  info.completion_count = from.completion_count;
  info.in_flight_max = ring.in_flight_max();
  info.fixed_buffer_count = from.fixed_buffer_count;
  info.fixed_file_count = from.fixed_file_count;
  info.worker_count = from.worker_count;
  info.setup_flags = from.setup_flags;
  info.features = from.features;
  info.memlock_bytes = from.memlock_bytes;
  CopyText(from.message, info.message);
  CopyText(from.remedy, info.remedy);
  return info;
}

// Each counter has the same name in both structs.
mooring_ring_stats_t ToStats(const RingStats& from) {
  mooring_ring_stats_t stats = {};
#define MOORING_COPY(name) stats.name = from.name;
  MOORING_RING_STATS(MOORING_COPY, MOORING_COPY, MOORING_COPY)
#undef MOORING_COPY
  return stats;
}

}  // namespace
}  // namespace mooring::c_api

using namespace mooring;         // NOLINT: the C functions below
using namespace mooring::c_api;  // NOLINT: are in no namespace

extern "C" {

mooring_error_t* mooring_ring_create(const mooring_ring_options_t* options,
                                     mooring_ring_t** out_ring) noexcept {
  if (out_ring == nullptr) return ToError(Status(kNullArgument));
  *out_ring = nullptr;
  Result<RingOptions> converted = ToOptions(options);
  if (!converted.ok()) return ToError(converted.TakeStatus());
  Result<Ring*> ring = Ring::Create(converted.value());
  if (!ring.ok()) return ToError(ring.TakeStatus());
  *out_ring = ToHandle(ring.value());
  return nullptr;
}

mooring_error_t* mooring_ring_submit(mooring_ring_t* ring, const mooring_op_t* operations,
                                     uint32_t count, uint32_t* out_accepted) noexcept {
  if (ring == nullptr || out_accepted == nullptr || (operations == nullptr && count > 0)) {
    return ToError(Status(kNullArgument));
  }
  return ToError(ToRing(ring)->Submit(ToOperations(operations, count), out_accepted));
}

mooring_error_t* mooring_ring_reap(mooring_ring_t* ring, mooring_completion_t* completions,
                                   uint32_t capacity, uint32_t min_count, int64_t timeout_ns,
                                   uint32_t* out_count) noexcept {
  if (ring == nullptr || out_count == nullptr || (completions == nullptr && capacity > 0)) {
    return ToError(Status(kNullArgument));
  }
  if (timeout_ns < 0) return ToError(Status(kNegativeTime));
  const Deadline deadline = min_count > 0 ? Deadline::After(timeout_ns) : Deadline();
  return ToError(
      ToRing(ring)->Reap(ToCompletions(completions, capacity), min_count, deadline, out_count));
}

mooring_error_t* mooring_ring_submit_and_reap(mooring_ring_t* ring, const mooring_op_t* operations,
                                              uint32_t count, uint32_t* out_accepted,
                                              mooring_completion_t* completions, uint32_t capacity,
                                              uint32_t min_count, int64_t timeout_ns,
                                              uint32_t* out_count) noexcept {
  if (ring == nullptr || out_accepted == nullptr || out_count == nullptr ||
      (operations == nullptr && count > 0) || (completions == nullptr && capacity > 0)) {
    return ToError(Status(kNullArgument));
  }
  if (timeout_ns < 0) return ToError(Status(kNegativeTime));
  const Deadline deadline = min_count > 0 ? Deadline::After(timeout_ns) : Deadline();
  return ToError(ToRing(ring)->SubmitAndReap(ToOperations(operations, count), out_accepted,
                                             ToCompletions(completions, capacity), min_count,
                                             deadline, out_count));
}

mooring_error_t* mooring_ring_cancel(mooring_ring_t* ring, uint64_t user_data,
                                     uint32_t* out_count) noexcept {
  if (ring == nullptr || out_count == nullptr) return ToError(Status(kNullArgument));
  return ToError(ToRing(ring)->Cancel(user_data, out_count));
}

mooring_error_t* mooring_ring_set_file(mooring_ring_t* ring, uint32_t index, int32_t fd) noexcept {
  if (ring == nullptr) return ToError(Status(kNullArgument));
  return ToError(ToRing(ring)->SetFile(index, fd));
}

mooring_error_t* mooring_ring_event_fd(mooring_ring_t* ring, int32_t* out_fd) noexcept {
  if (ring == nullptr || out_fd == nullptr) return ToError(Status(kNullArgument));
  *out_fd = -1;
  Result<int> fd = ToRing(ring)->EventFd();
  if (!fd.ok()) return ToError(fd.TakeStatus());
  *out_fd = fd.value();
  return nullptr;
}

mooring_error_t* mooring_ring_get_info(const mooring_ring_t* ring,
                                       mooring_ring_info_t* out_info) noexcept {
  if (ring == nullptr) return ToError(Status(kNullArgument));
  if (ToRing(ring)->Forked()) return ToError(Status(kForkedRingHandle));
  mooring_ring_info_t info = ToInfo(*ToRing(ring));
  return ToError(WriteInfo(info, out_info, "mooring_ring_info_t"));
}

mooring_error_t* mooring_ring_get_stats(const mooring_ring_t* ring,
                                        mooring_ring_stats_t* out_stats) noexcept {
  if (ring == nullptr) return ToError(Status(kNullArgument));
  if (ToRing(ring)->Forked()) return ToError(Status(kForkedRingHandle));
  mooring_ring_stats_t stats = ToStats(ToRing(ring)->Stats());
  return ToError(WriteInfo(stats, out_stats, "mooring_ring_stats_t"));
}

mooring_error_t* mooring_ring_close(mooring_ring_t* ring, int64_t timeout_ns) noexcept {
  if (ring == nullptr) return ToError(Status(kNullArgument));
  if (timeout_ns < 0) return ToError(Status(kNegativeTime));
  return ToError(ToRing(ring)->Close(Deadline::After(timeout_ns)));
}

void mooring_ring_destroy(mooring_ring_t* ring) noexcept { Ring::Destroy(ToRing(ring)); }

}  // extern "C"
