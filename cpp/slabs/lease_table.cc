#include "cpp/slabs/lease_table.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "cpp/base/check.h"

namespace mooring {
namespace {

// A state: the generation in the high 32 bits, then the number of holds, then two flags. They are
// in one word, so that one load shows whether a lease is stale, released and held.
constexpr uint64_t kLeased = 1;
constexpr uint64_t kReleased = 2;  // by its owner; leased until the last hold is dropped
constexpr uint64_t kOneHold = uint64_t{1} << 12;
constexpr uint64_t kHolds = uint64_t{LeaseTable::kHoldCountMax} << 12;

constexpr uint32_t GenerationOf(uint64_t state) { return static_cast<uint32_t>(state >> 32); }
constexpr uint64_t ClearLease(uint64_t state) { return state & ~uint64_t{UINT32_MAX}; }

// True if leased with `generation` and not released.
constexpr bool IsOwned(uint64_t state, uint32_t generation) {
  return GenerationOf(state) == generation && (state & (kLeased | kReleased)) == kLeased;
}

static_assert((kHolds & (kLeased | kReleased)) == 0 && kHolds + kOneHold == uint64_t{1} << 32);

constexpr ErrorDetail kExhausted = ConstantError(
    Code::kExhausted, Retry::kLater, "no contiguous run of so many buffers is free in the slab",
    "release leases, acquire fewer buffers in one call, or create a larger slab");
constexpr ErrorDetail kNoBuffers = ConstantError(
    Code::kInvalidArgument, Retry::kNever, "buffer_count is 0", "acquire at least one buffer");
constexpr ErrorDetail kTooManyBuffers =
    ConstantError(Code::kInvalidArgument, Retry::kNever, "buffer_count is more than the slab has",
                  "acquire at most as many buffers as the slab has");
constexpr ErrorDetail kClosed =
    ConstantError(Code::kInvalidState, Retry::kNever, "the slab is closed",
                  "acquire leases before mooring_slab_close");
constexpr ErrorDetail kStale =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "the lease is stale: it was released before, or never acquired from this slab",
                  "release each lease once, to the slab that it was acquired from");
constexpr ErrorDetail kWrongCount = ConstantError(
    Code::kInvalidState, Retry::kNever, "the lease's buffer_count is not the one that was acquired",
    "release the whole lease, as mooring_slab_acquire returned it");

}  // namespace

// Memory orders. The free bitmap orders all accesses to a buffer and its entry between one lease
// and the next (free_bitmap.h, Contents). Also:
// - Publication: Acquire writes the count, then the state with release. A thread that reads the
//   state with acquire and finds its generation there then reads the count of that lease.
// - Last hold: each Release and Unhold changes the state with acq_rel. The last of them therefore
//   sees all accesses to the buffers before the other calls, and frees the buffers.

void LeaseTable::Freer::operator()(Entry* entries) const { std::free(entries); }

std::unique_ptr<LeaseTable> LeaseTable::Create(uint32_t buffer_count, uint32_t buffer_count_max) {
  std::unique_ptr<FreeBitmap> free = FreeBitmap::Create(buffer_count, buffer_count_max);
  if (free == nullptr) return nullptr;
  // calloc does not write to memory that the kernel provides as zeroes. So entries of buffers that
  // are never leased cost no memory: 16 bytes for each of up to 2^24 buffers.
  std::unique_ptr<Entry[], Freer> entries(
      static_cast<Entry*>(std::calloc(buffer_count_max, sizeof(Entry))));
  if (entries == nullptr) return nullptr;
  return std::unique_ptr<LeaseTable>(new (std::nothrow)
                                         LeaseTable(std::move(free), std::move(entries)));
}

LeaseTable::LeaseTable(std::unique_ptr<FreeBitmap> free, std::unique_ptr<Entry[], Freer> entries)
    : free_(std::move(free)), entries_(std::move(entries)) {}

LeaseTable::~LeaseTable() = default;

Status LeaseTable::Acquire(uint32_t buffer_count, Lease* out_lease) {
  if (buffer_count == 0) return Status(kNoBuffers);
  if (buffer_count > free_->buffer_count()) return Status(kTooManyBuffers);
  // Relaxed: a concurrent Acquire may or may not see Close.
  if (closed()) return Status(kClosed);
  const uint32_t first = free_->Claim(buffer_count);
  if (first == FreeBitmap::kNone) return Status(kExhausted);
  // Relaxed: the claim orders this after the last lease of the buffer, and no other thread writes
  // the entry of a claimed buffer.
  uint32_t generation = GenerationOf(State(first).load(std::memory_order_relaxed)) + 1;
  if (generation == 0) generation = 1;
  BufferCount(first).store(buffer_count, std::memory_order_relaxed);
  // Release: see above, Publication.
  State(first).store(uint64_t{generation} << 32 | kLeased, std::memory_order_release);
  *out_lease = {.first_index = first, .buffer_count = buffer_count, .generation = generation};
  return OkStatus();
}

Status LeaseTable::Release(const Lease& lease) {
  if (lease.first_index >= free_->buffer_count()) return Status(kStale);
  const std::atomic_ref<uint64_t> state = State(lease.first_index);
  // Acquire: see above, Publication.
  uint64_t seen = state.load(std::memory_order_acquire);
  for (;;) {
    if (!IsOwned(seen, lease.generation)) return Status(kStale);
    // Relaxed: if a later lease has written it since, the exchange fails.
    if (BufferCount(lease.first_index).load(std::memory_order_relaxed) != lease.buffer_count) {
      return Status(kWrongCount);
    }
    const bool held = (seen & kHolds) != 0;
    // acq_rel: see above, Last hold.
    if (state.compare_exchange_weak(seen, held ? seen | kReleased : ClearLease(seen),
                                    std::memory_order_acq_rel, std::memory_order_acquire)) {
      if (!held) free_->Return({lease.first_index, lease.buffer_count});
      return OkStatus();
    }
  }
}

uint32_t LeaseTable::Hold(uint32_t first_index, uint32_t generation) {
  if (first_index >= free_->buffer_count()) return 0;
  const std::atomic_ref<uint64_t> state = State(first_index);
  // Relaxed: only a guess for the exchange.
  uint64_t seen = state.load(std::memory_order_relaxed);
  do {
    if (!IsOwned(seen, generation) || (seen & kHolds) == kHolds) return 0;
    // Acquire: see above, Publication. A hold publishes nothing.
  } while (!state.compare_exchange_weak(seen, seen + kOneHold, std::memory_order_acquire,
                                        std::memory_order_relaxed));
  // Relaxed: the count does not change while there is a hold.
  return BufferCount(first_index).load(std::memory_order_relaxed);
}

void LeaseTable::Unhold(uint32_t first_index) {
  const std::atomic_ref<uint64_t> state = State(first_index);
  // acq_rel: see above, Last hold.
  const uint64_t before = state.fetch_sub(kOneHold, std::memory_order_acq_rel);
  DCHECK((before & kHolds) != 0);
  if ((before & (kHolds | kReleased)) != (kOneHold | kReleased)) return;
  // No other thread can change the entry now: it is released, and Hold rejects released leases.
  const uint32_t buffer_count = BufferCount(first_index).load(std::memory_order_relaxed);
  // Relaxed: Return publishes it.
  state.store(ClearLease(before), std::memory_order_relaxed);
  free_->Return({first_index, buffer_count});
}

bool LeaseTable::IsCurrent(uint32_t first_index, uint32_t generation) const {
  if (first_index >= free_->buffer_count()) return false;
  // Acquire: see above, Publication.
  return IsOwned(State(first_index).load(std::memory_order_acquire), generation);
}

// Relaxed: see Acquire.
void LeaseTable::Close() { closed_.store(true, std::memory_order_relaxed); }

uint32_t LeaseTable::LeasedCount() const { return free_->buffer_count() - free_->CountFree(); }

uint32_t LeaseTable::HeldCount() const {
  uint32_t held = 0;
  for (uint32_t index = free_->NextTaken(0); index < free_->buffer_count();
       index = free_->NextTaken(index)) {
    // Acquire: see above, Publication.
    const uint64_t state = State(index).load(std::memory_order_acquire);
    const uint32_t count = BufferCount(index).load(std::memory_order_relaxed);
    if ((state & kLeased) == 0) {
      ++index;  // claimed, but not published yet
      continue;
    }
    if ((state & kReleased) != 0) held += count;
    index += count;
  }
  return held;
}

}  // namespace mooring
