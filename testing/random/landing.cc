#include "testing/random/landing.h"

#include <cerrno>
#include <cinttypes>

#include "testing/random/invariant.h"
#include "testing/support/pattern.h"

namespace mooring::workload {
namespace {

bool MovesData(const Flight& flight) {
  return flight.opcode == MOORING_OPCODE_READ || flight.opcode == MOORING_OPCODE_WRITE ||
         flight.opcode == MOORING_OPCODE_SEND || flight.opcode == MOORING_OPCODE_RECV;
}

bool Receives(const Flight& flight) {
  return flight.opcode == MOORING_OPCODE_READ || flight.opcode == MOORING_OPCODE_RECV;
}

}  // namespace

void Landing::CheckResult(const Flight& flight, int64_t result) {
  if (result == -ECANCELED) {
    INVARIANT(flight.may_be_cancelled.load(),
              "opcode %u failed with ECANCELED without a request to cancel", flight.opcode);
    return;
  }
  switch (flight.aim) {
    case Aim::kNothing:
      INVARIANT(result == 0, "opcode %u gave %" PRId64, flight.opcode, result);
      break;
    case Aim::kTimeout:
      INVARIANT(result == -ETIME, "a timeout gave %" PRId64, result);
      break;
    case Aim::kRepeat:
    case Aim::kEndless:
      INVARIANT(false, "opcode %u, which never completes by itself, returned %" PRId64,
                flight.opcode, result);
      break;
    case Aim::kCancel:
      INVARIANT(result == -ENOENT || result == 1, "a cancel gave %" PRId64, result);
      break;
    default:
      INVARIANT(result > 0 && static_cast<uint64_t>(result) <= flight.size,
                "opcode %u of %" PRIu64 " bytes at %" PRIu64 " gave %" PRId64, flight.opcode,
                flight.size, flight.file_offset, result);
  }
}

void Landing::CheckBytes(const Flight& flight, uint64_t moved) {
  if (!flight.is_checked || !Receives(flight)) return;
  const auto verdict =
      conformance::HasPattern(flight.bytes, flight.seed, flight.file_offset, moved);
  INVARIANT(verdict, "%" PRIu64 " bytes of opcode %u: %s", moved, flight.opcode, verdict.message());
}

void Landing::CheckFlags(const Flight& flight, const mooring_completion_t& completion) {
  INVARIANT(completion.lease_generation == 0 && completion.lease_first_index == 0,
            "opcode %u hands over a lease", flight.opcode);
  if (flight.aim == Aim::kRepeat) {
    INVARIANT(completion.path == MOORING_PATH_COPY && completion.flags == 0,
              "the end of opcode %u has path %u, flags %x", flight.opcode, completion.path,
              completion.flags);
    return;
  }
  if (!MovesData(flight)) {
    INVARIANT(completion.path == MOORING_PATH_NONE && completion.flags == 0,
              "opcode %u has path %u, flags %x", flight.opcode, completion.path, completion.flags);
    return;
  }
  INVARIANT(completion.path == MOORING_PATH_FIXED || completion.path == MOORING_PATH_COPY,
            "opcode %u has path %u", flight.opcode, completion.path);
  INVARIANT(!flight.must_be_fixed || completion.path == MOORING_PATH_FIXED,
            "opcode %u took the copy path of a fully pinned slab", flight.opcode);
  INVARIANT(!flight.must_be_copied || completion.path == MOORING_PATH_COPY,
            "opcode %u took the fixed path", flight.opcode);
  const bool is_short =
      completion.result >= 0 && static_cast<uint64_t>(completion.result) < flight.size;
  const uint32_t expected = is_short ? uint32_t{MOORING_COMPLETION_SHORT} : 0;
  INVARIANT(completion.flags == expected, "%" PRId64 " of %" PRIu64 " bytes have flags %x",
            completion.result, flight.size, completion.flags);
}

// Updates the state for the next operation on the same block or channel.
void Landing::Settle(const Flight& flight, int64_t result) {
  const uint64_t moved = result > 0 ? static_cast<uint64_t>(result) : 0;
  if (flight.block != nullptr) {
    if (flight.aim == Aim::kWrite && moved > 0) {
      flight.block->seed = flight.seed;
      flight.block->size = moved;
    }
    flight.block->is_busy.store(false, std::memory_order_release);
  }
  if (flight.channel == nullptr) return;
  if (flight.aim == Aim::kSend) {
    flight.channel->sent += moved;
    flight.channel->sending.store(false, std::memory_order_release);
  } else {
    flight.channel->received += moved;
    flight.channel->receiving.store(false, std::memory_order_release);
  }
}

void Landing::Count(const Flight& flight, const mooring_completion_t& completion) {
  const int64_t result = completion.result;
  const uint64_t bytes = result > 0 ? static_cast<uint64_t>(result) : 0;
  const bool is_fixed = completion.path == MOORING_PATH_FIXED;
  ++counted_.completed;
  counted_.failed += result < 0;
  counted_.cancelled += result == -ECANCELED;
  counted_.short_count += (completion.flags & MOORING_COMPLETION_SHORT) != 0;
  switch (flight.opcode) {
    case MOORING_OPCODE_READ:
      ++(is_fixed ? counted_.read_fixed : counted_.read);
      counted_.read_bytes += bytes;
      break;
    case MOORING_OPCODE_WRITE:
      ++(is_fixed ? counted_.write_fixed : counted_.write);
      counted_.write_bytes += bytes;
      break;
    case MOORING_OPCODE_SEND:
      ++(is_fixed ? counted_.send_zero_copy : counted_.send);
      counted_.send_bytes += bytes;
      break;
    case MOORING_OPCODE_RECV:
    case MOORING_OPCODE_RECV_MULTISHOT:
      ++counted_.recv;
      counted_.recv_bytes += bytes;
      break;
    default:
      break;
  }
  tally_.Add(flight.opcode, completion.path, result);
}

void Landing::LandPart(const Flight& flight, const mooring_completion_t& completion) {
  INVARIANT(flight.aim == Aim::kRepeat && completion.flags == MOORING_COMPLETION_MORE &&
                completion.path == MOORING_PATH_COPY && completion.result > 0,
            "opcode %u goes on with result %" PRId64 ", path %u, flags %x", flight.opcode,
            completion.result, completion.path, completion.flags);
  const SharedLease lease =
      flight.arena->Take({completion.lease_first_index, 1, completion.lease_generation, 0});
  const auto size = static_cast<uint64_t>(completion.result);
  const auto verdict =
      conformance::HasPattern(lease->data, flight.channel->seed(), flight.channel->received, size);
  INVARIANT(verdict, "%" PRIu64 " bytes of opcode %u: %s", size, flight.opcode, verdict.message());
  flight.channel->received += size;
  ++counted_.multishot_completed;
  ++counted_.recv;
  counted_.recv_bytes += size;
  tally_.Add(flight.opcode, completion.path, completion.result);
  released_(*flight.arena, lease);
}

void Landing::Land(const mooring_completion_t& completion) {
  Flight* const flight = flights_.Find(completion.user_data);
  INVARIANT(flight != nullptr,
            "completion of user_data %" PRIx64 ", result %" PRId64 ": not in flight (any more)",
            completion.user_data, completion.result);
  if ((completion.flags & MOORING_COMPLETION_MORE) != 0) return LandPart(*flight, completion);
  CheckResult(*flight, completion.result);
  CheckFlags(*flight, completion);
  if (completion.result > 0) CheckBytes(*flight, static_cast<uint64_t>(completion.result));
  Count(*flight, completion);
  Settle(*flight, completion.result);
  const SharedLease lease = std::move(flight->lease);
  Arena* const arena = flight->arena;
  flights_.Land(*flight);
  if (lease != nullptr && lease->users.fetch_sub(1) == 1) released_(*arena, lease);
}

void Landing::CheckStats(const mooring_ring_stats_t& stats) const {
  const struct {
    const char* name;
    uint64_t counted;
    uint64_t reported;
  } counters[] = {
      {"submitted", counted_.completed, stats.submitted},
      {"completed", counted_.completed, stats.completed},
      {"in_flight", 0, stats.in_flight},
      {"failed", counted_.failed, stats.failed},
      {"cancelled", counted_.cancelled, stats.cancelled},
      {"read", counted_.read, stats.read},
      {"read_fixed", counted_.read_fixed, stats.read_fixed},
      {"write", counted_.write, stats.write},
      {"write_fixed", counted_.write_fixed, stats.write_fixed},
      {"read_bytes", counted_.read_bytes, stats.read_bytes},
      {"write_bytes", counted_.write_bytes, stats.write_bytes},
      {"short_count", counted_.short_count, stats.short_count},
      {"send", counted_.send, stats.send},
      {"send_zero_copy", counted_.send_zero_copy, stats.send_zero_copy},
      {"recv", counted_.recv, stats.recv},
      {"send_bytes", counted_.send_bytes, stats.send_bytes},
      {"recv_bytes", counted_.recv_bytes, stats.recv_bytes},
      {"multishot_completed", counted_.multishot_completed, stats.multishot_completed},
  };
  for (const auto& counter : counters) {
    INVARIANT(counter.counted == counter.reported,
              "%s: the ring reports %" PRIu64 ", %" PRIu64 " expected", counter.name,
              counter.reported, counter.counted);
  }
}

}  // namespace mooring::workload
