#include "testing/faults/sweep.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

// Of a sanitizer's runtime, where there is one.
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace mooring::faults {
namespace {

// A run takes milliseconds, and waits 20 s for what does not come.
constexpr unsigned kRunSeconds = 120;

// Of many calls of a kind, a short sweep takes these and then ever fewer.
constexpr uint64_t kAllUpTo = 12;

char current_run[256];

void PrintCurrentRun() {
  constexpr char kBefore[] = "\nended in the middle of ";
  (void)!write(STDERR_FILENO, kBefore, sizeof kBefore - 1);
  (void)!write(STDERR_FILENO, current_run, std::strlen(current_run));
  (void)!write(STDERR_FILENO, "\n", 1);
}

void OnFatalSignal(int signal) {
  PrintCurrentRun();
  raise(signal);  // SA_RESETHAND: its default action, when this returns
}

}  // namespace

void NameFatalRuns() {
  struct sigaction action = {};
  action.sa_handler = &OnFatalSignal;
  action.sa_flags = SA_RESETHAND;
  for (const int signal : {SIGALRM, SIGABRT}) sigaction(signal, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&PrintCurrentRun);
    return;
  }
  for (const int signal : {SIGSEGV, SIGBUS}) sigaction(signal, &action, nullptr);
}

uint64_t Sweep::Run() {
  // The first run makes what is made once in a process; the second one is measured.
  (void)RunOnce({});
  before_ = ReadHoldingsAtRest();
  const Outcome untouched = RunOnce({});
  EXPECT_FALSE(untouched.suffered) << Name() << " fails without a fault";
  for (size_t i = 0; i < kCallKindCount; ++i) {
    const CallKind kind = static_cast<CallKind>(i);
    const bool wanted = !options_.call || *options_.call == kind;
    if (wanted && untouched.result.call_counts[i] > 0) RunKind(kind);
  }
  return struck_count_;
}

void Sweep::RunKind(CallKind kind) {
  const CallFacts& facts = FactsOf(kind);
  const size_t count = options_.full || options_.fault ? facts.faults.size() : facts.brief;
  for (const int fault : facts.faults.first(count)) {
    if (options_.fault && *options_.fault != fault) continue;
    RunFault({.kind = kind, .number = 0, .fault = fault, .lasting = options_.lasting});
  }
}

void Sweep::RunFault(FaultPlan plan) {
  if (options_.number != 0) {
    plan.number = options_.number;
    struck_count_ += RunOnce(plan).result.fired;
    return;
  }
  for (plan.number = 1;;
       plan.number += plan.number < kAllUpTo || options_.full ? 1 : plan.number / 4) {
    if (!RunOnce(plan).result.fired) return;
    ++struck_count_;
  }
}

Sweep::Outcome Sweep::RunOnce(const FaultPlan& plan) {
  const bool is_counting = plan.number == 0;
  const std::string run =
      "--scenario=" + Name() + (is_counting ? " (no fault)" : " " + plan.ToString());
  std::snprintf(current_run, sizeof current_run, "%s", run.c_str());
  alarm(kRunSeconds);
  Trial trial(mode_, plan);
  BeginPlan(plan);
  scenario_.run(trial);
  const Outcome outcome = {.result = EndPlan(), .suffered = trial.suffered()};
  std::string complaint = trial.complaint();
  if (!is_counting) {
    const std::string leaked = WaitForHoldings(before_);
    if (!leaked.empty()) {
      complaint += complaint.empty() ? leaked : "\n" + leaked;
      before_ = ReadHoldingsAtRest();  // the next ones are not to blame
    }
  }
  alarm(0);
  if (!complaint.empty()) ADD_FAILURE() << complaint << "\n  repeat it alone: " << run;
  return outcome;
}

}  // namespace mooring::faults
