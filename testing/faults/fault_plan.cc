#include "testing/faults/fault_plan.h"

#include <time.h>

#include <atomic>

namespace mooring::faults {
namespace {

// Longer than anything Mooring does at the same time, so that the other threads come first. This
// delay is the injected fault; no test waits for it as proof of an event.
constexpr long kLateNs = 2'000'000;

FaultPlan current;
std::atomic<bool> is_active{false};
std::atomic<uint64_t> call_counts[kCallKindCount];
std::atomic<uint64_t> candidate_count{0};  // calls to which the plan could apply
std::atomic<bool> fired{false};

thread_local int armed_depth = 0;

bool PlanAppliesTo(uint64_t number) {
  if (current.number == 0) return false;
  return current.lasting ? number >= current.number : number == current.number;
}

}  // namespace

std::string FaultPlan::ToString() const {
  return std::string("--call=") + FactsOf(kind).name + " --n=" + std::to_string(number) +
         " --errno=" + NameOfFault(fault) + (lasting ? " --lasting=1" : "");
}

void BeginPlan(const FaultPlan& plan) {
  current = plan;
  for (std::atomic<uint64_t>& count : call_counts) count.store(0, std::memory_order_relaxed);
  candidate_count.store(0, std::memory_order_relaxed);
  fired.store(false, std::memory_order_relaxed);
  // Release pairs with the acquire in FaultFor: a thread that sees is_active sees the plan.
  is_active.store(true, std::memory_order_release);
}

PlanResult EndPlan() {
  is_active.store(false, std::memory_order_release);
  PlanResult result = {.fired = HasFired()};
  for (size_t i = 0; i < kCallKindCount; ++i) {
    result.call_counts[i] = call_counts[i].load(std::memory_order_relaxed);
  }
  return result;
}

bool HasFired() { return fired.load(std::memory_order_relaxed); }

Armed::Armed() { ++armed_depth; }

Armed::~Armed() { --armed_depth; }

bool IsArmed() { return armed_depth > 0; }

void ArmThisThread() { ++armed_depth; }

int FaultFor(CallKind kind, uint64_t size) {
  if (!IsArmed() || !is_active.load(std::memory_order_acquire)) return 0;
  call_counts[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  if (kind != current.kind || (current.fault == kShort && size < 2)) return 0;
  if (!PlanAppliesTo(candidate_count.fetch_add(1, std::memory_order_relaxed) + 1)) return 0;
  fired.store(true, std::memory_order_relaxed);
  if (current.fault != kLate) return current.fault;
  const timespec pause = {.tv_sec = 0, .tv_nsec = kLateNs};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
  return 0;
}

}  // namespace mooring::faults
