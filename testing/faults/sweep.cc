#include "testing/faults/sweep.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <sstream>

#include "testing/support/child_process.h"
#include "testing/support/eventually.h"
#include "testing/support/kernel_probe.h"

// Defined by the runtime of a sanitizer, if one is linked.
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace mooring::faults {
namespace {

// A run takes milliseconds; a wait for an event that does not happen ends after 20 s.
constexpr unsigned kRunSeconds = 120;

// A short sweep takes each of the first calls of a kind up to this one, then ever fewer.
constexpr uint64_t kAllUpTo = 12;

// More than a first use charges to memlock.
constexpr uint64_t kFirstUseBytes = 1 << 20;

char current_run[256];

void PrintCurrentRun() {
  constexpr char kBefore[] = "\nthe process ended during ";
  (void)!write(STDERR_FILENO, kBefore, sizeof kBefore - 1);
  (void)!write(STDERR_FILENO, current_run, std::strlen(current_run));
  (void)!write(STDERR_FILENO, "\n", 1);
}

void OnFatalSignal(int signal) {
  PrintCurrentRun();
  raise(signal);  // SA_RESETHAND: the default action runs when this returns
}

// The kernel releases the memlock charge of a process some time after its exit. The next child
// would take the missing budget for a limit, as it has released nothing itself. If the limit never
// allows that much, only the first call waits.
void WaitForBudget() {
  static bool is_available = true;
  is_available = is_available && conformance::Eventually([] {
                   return conformance::ProbePin(kFirstUseBytes) != ENOMEM;
                 });
}

}  // namespace

void PrintRunOnFatalSignal() {
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
  if (!options_.first_use) {
    // The first run includes initialization that happens once in a process; the second is measured.
    (void)RunOnce({});
    before_ = ReadHoldingsAtRest();
  }
  const Outcome untouched = RunOnce({});
  EXPECT_FALSE(untouched.failed) << Name() << " fails without a fault";
  for (size_t i = 0; i < kCallKindCount; ++i) {
    const CallKind kind = static_cast<CallKind>(i);
    const bool wanted = !options_.call || *options_.call == kind;
    if (wanted && untouched.result.call_counts[i] > 0) RunKind(kind);
  }
  return fault_count_;
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
    fault_count_ += RunOnce(plan).result.fired;
    return;
  }
  for (plan.number = 1;;
       plan.number += plan.number < kAllUpTo || options_.full ? 1 : plan.number / 4) {
    if (!RunOnce(plan).result.fired) return;
    ++fault_count_;
  }
}

Sweep::Outcome Sweep::RunOnce(const FaultPlan& plan) {
  const std::string run = "--scenario=" + Name() + (options_.first_use ? " --first_use=1" : "") +
                          (plan.number == 0 ? " (no fault)" : " " + plan.ToString());
  std::snprintf(current_run, sizeof current_run, "%s", run.c_str());
  alarm(kRunSeconds);
  Outcome outcome;
  const std::string complaint =
      options_.first_use ? RunInFreshProcess(plan, &outcome) : RunHere(plan, &outcome);
  alarm(0);
  if (!complaint.empty()) ADD_FAILURE() << complaint << "\n  repeat this run alone: " << run;
  return outcome;
}

std::string Sweep::RunHere(const FaultPlan& plan, Outcome* outcome) {
  Trial trial(mode_, plan);
  BeginPlan(plan);
  scenario_.run(trial);
  *outcome = {.result = EndPlan(), .failed = trial.failed()};
  std::string complaint = trial.complaint();
  if (plan.number == 0) return complaint;
  const std::string leaked = WaitForHoldings(before_);
  if (!leaked.empty()) {
    complaint += complaint.empty() ? leaked : "\n" + leaked;
    before_ = ReadHoldingsAtRest();  // later runs must not report this leak again
  }
  return complaint;
}

// The first line of the child's output is its outcome.
std::string Sweep::RunInFreshProcess(const FaultPlan& plan, Outcome* outcome) const {
  WaitForBudget();
  const conformance::ChildResult child = conformance::RunInChild([&] {
    Trial trial(mode_, plan);
    BeginPlan(plan);
    scenario_.run(trial);
    const PlanResult result = EndPlan();
    std::ostringstream output;
    output << result.fired << ' ' << trial.failed();
    for (const uint64_t count : result.call_counts) output << ' ' << count;
    output << '\n' << trial.complaint();
    const FaultPlan untouched;
    Trial again(mode_, untouched);
    BeginPlan(untouched);
    scenario_.run(again);
    EndPlan();
    if (again.failed() || !again.complaint().empty())
      output << "\nthe second use, without a fault: " << again.complaint();
    return output.str();
  });
  if (!child.exited) return "the child did not exit normally: " + child.complaint;
  std::istringstream output(child.complaint);
  output >> outcome->result.fired >> outcome->failed;
  for (uint64_t& count : outcome->result.call_counts) output >> count;
  output.ignore();
  return std::string(std::istreambuf_iterator<char>(output), {});
}

}  // namespace mooring::faults
