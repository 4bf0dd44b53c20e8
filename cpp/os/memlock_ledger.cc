#include "cpp/os/memlock_ledger.h"

#include <algorithm>
#include <atomic>

#include "cpp/os/process.h"

namespace mooring {
namespace {

// 1.2 s: kernels up to 6.3 return a cleared slot's budget a second late (measured on 5.10 and 6.1).
constexpr int64_t kReturnLatencyNs = 1'200'000'000;

constinit std::atomic<uint64_t> used{0};
constinit std::atomic<int64_t> released_at_ns{0};
constinit std::atomic<ProcessToken> process{ProcessToken::kNone};

// Forgets what was charged by the process that this one was forked from.
void EnterProcess() {
  const ProcessToken current = CurrentProcess();
  ProcessToken last = process.load(std::memory_order_relaxed);
  if (last == current) return;
  if (process.compare_exchange_strong(last, current, std::memory_order_relaxed)) {
    used.store(0, std::memory_order_relaxed);
    released_at_ns.store(0, std::memory_order_relaxed);
  }
}

}  // namespace

void MemlockLedger::Charge(uint64_t bytes) {
  EnterProcess();
  used.fetch_add(bytes, std::memory_order_relaxed);
}

void MemlockLedger::Release(uint64_t bytes) {
  if (bytes == 0) return;
  EnterProcess();
  uint64_t before = used.load(std::memory_order_relaxed);
  while (!used.compare_exchange_weak(before, before - std::min(before, bytes), std::memory_order_relaxed)) {
  }
  released_at_ns.store(MonotonicNow(), std::memory_order_relaxed);
}

uint64_t MemlockLedger::used_bytes() {
  EnterProcess();
  return used.load(std::memory_order_relaxed);
}

bool MemlockLedger::ReturnIsPending() {
  const int64_t at = released_at_ns.load(std::memory_order_relaxed);
  return at != 0 && MonotonicNow() - at < kReturnLatencyNs;
}

bool MemlockBackoff::Wait() {
  if (!MemlockLedger::ReturnIsPending() || deadline_.Passed()) return false;
  const int64_t pause = std::min(pause_ns_, deadline_.RemainingNs());
  const timespec time{0, static_cast<long>(pause)};
  nanosleep(&time, nullptr);  // a signal that cuts it short costs one early try
  pause_ns_ = std::min<int64_t>(pause_ns_ * 2, 32'000'000);
  return true;
}

}  // namespace mooring
