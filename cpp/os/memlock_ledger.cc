#include "cpp/os/memlock_ledger.h"

#include <time.h>

#include <algorithm>
#include <atomic>

#include "cpp/os/process.h"

namespace mooring {
namespace {

// One word: the number of bytes, and above it the low bits of the token of the process that charged
// them. So the first charge in a fork child replaces the parent's sum and adds its own in one
// atomic step, and no concurrent charge is lost. The limit of 256 TiB is more than can be pinned.
// The tokens of a process and its descendants differ for 65,536 generations.
constexpr int kByteBits = 48;
constexpr uint64_t kByteMask = (uint64_t{1} << kByteBits) - 1;

constinit std::atomic<uint64_t> account{0};
// Not per process: the budget belongs to the user, so a release by a parent also helps its child.
constinit std::atomic<int64_t> released_at_ns{0};
constinit std::atomic<uint64_t> returns{0};

uint64_t Owner() { return static_cast<uint64_t>(CurrentProcess()) << kByteBits; }

// The bytes that `value` of the account contains for the process `owner`.
uint64_t BytesOf(uint64_t value, uint64_t owner) {
  return (value & ~kByteMask) == owner ? value & kByteMask : 0;
}

}  // namespace

void MemlockLedger::Charge(uint64_t bytes) {
  const uint64_t owner = Owner();
  uint64_t before = account.load(std::memory_order_relaxed);
  uint64_t after;
  do {
    after = std::min(BytesOf(before, owner) + std::min(bytes, kByteMask), kByteMask);
  } while (!account.compare_exchange_weak(before, owner | after, std::memory_order_relaxed));
}

void MemlockLedger::Release(uint64_t bytes) {
  if (bytes == 0) return;
  const uint64_t owner = Owner();
  uint64_t before = account.load(std::memory_order_relaxed);
  uint64_t after;
  do {
    const uint64_t held = BytesOf(before, owner);
    after = held - std::min(held, bytes);
  } while (!account.compare_exchange_weak(before, owner | after, std::memory_order_relaxed));
  released_at_ns.store(MonotonicNow(), std::memory_order_relaxed);
  returns.fetch_add(1, std::memory_order_release);
}

uint64_t MemlockLedger::return_count() { return returns.load(std::memory_order_acquire); }

uint64_t MemlockLedger::used_bytes() {
  return BytesOf(account.load(std::memory_order_relaxed), Owner());
}

bool MemlockLedger::ReturnIsPending() {
  const int64_t at = released_at_ns.load(std::memory_order_relaxed);
  return at != 0 && MonotonicNow() - at < kReturnLatencyNs;
}

bool MemlockBackoff::Wait() {
  if (!MemlockLedger::ReturnIsPending() || deadline_.Passed()) return false;
  const int64_t pause = std::min(pause_ns_, deadline_.RemainingNs());
  const timespec time{0, static_cast<long>(pause)};
  nanosleep(&time, nullptr);  // if a signal ends it, the next try is early
  pause_ns_ = std::min<int64_t>(pause_ns_ * 2, 64'000'000);
  return true;
}

}  // namespace mooring
