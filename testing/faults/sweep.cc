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

// Of a sanitizer's runtime, where there is one.
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace mooring::faults {
namespace {

// A run takes milliseconds, and waits 20 s for what does not come.
constexpr unsigned kRunSeconds = 120;

// Of many calls of a kind, a short sweep takes these and then ever fewer.
constexpr uint64_t kAllUpTo = 12;

// More than a first use charges.
constexpr uint64_t kFirstUseBytes = 1 << 20;

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

// The kernel gives back late what a process had charged that has ended, and a child takes that for
// a limit: it has released nothing itself. Where that much never comes, it is waited for once.
void WaitForBudget() {
  static bool comes = true;
  comes = comes &&
          conformance::Eventually([] { return conformance::ProbePin(kFirstUseBytes) != ENOMEM; });
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
  if (!options_.first_use) {
    // The first run makes what is made once in a process; the second one is measured.
    (void)RunOnce({});
    before_ = ReadHoldingsAtRest();
  }
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
  const std::string run = "--scenario=" + Name() + (options_.first_use ? " --first_use=1" : "") +
                          (plan.number == 0 ? " (no fault)" : " " + plan.ToString());
  std::snprintf(current_run, sizeof current_run, "%s", run.c_str());
  alarm(kRunSeconds);
  Outcome outcome;
  const std::string complaint =
      options_.first_use ? RunInFreshProcess(plan, &outcome) : RunHere(plan, &outcome);
  alarm(0);
  if (!complaint.empty()) ADD_FAILURE() << complaint << "\n  repeat it alone: " << run;
  return outcome;
}

std::string Sweep::RunHere(const FaultPlan& plan, Outcome* outcome) {
  Trial trial(mode_, plan);
  BeginPlan(plan);
  scenario_.run(trial);
  *outcome = {.result = EndPlan(), .suffered = trial.suffered()};
  std::string complaint = trial.complaint();
  if (plan.number == 0) return complaint;
  const std::string leaked = WaitForHoldings(before_);
  if (!leaked.empty()) {
    complaint += complaint.empty() ? leaked : "\n" + leaked;
    before_ = ReadHoldingsAtRest();  // the next ones are not to blame
  }
  return complaint;
}

// The child's outcome is the first line of its words.
std::string Sweep::RunInFreshProcess(const FaultPlan& plan, Outcome* outcome) const {
  WaitForBudget();
  const conformance::ChildResult child = conformance::RunInChild([&] {
    Trial trial(mode_, plan);
    BeginPlan(plan);
    scenario_.run(trial);
    const PlanResult result = EndPlan();
    std::ostringstream words;
    words << result.fired << ' ' << trial.suffered();
    for (const uint64_t count : result.call_counts) words << ' ' << count;
    words << '\n' << trial.complaint();
    const FaultPlan untouched;
    Trial again(mode_, untouched);
    BeginPlan(untouched);
    scenario_.run(again);
    EndPlan();
    if (again.suffered() || !again.complaint().empty())
      words << "\nthe second use, without a fault: " << again.complaint();
    return words.str();
  });
  if (!child.exited) return "the child did not end well: " + child.complaint;
  std::istringstream words(child.complaint);
  words >> outcome->result.fired >> outcome->suffered;
  for (uint64_t& count : outcome->result.call_counts) words >> count;
  words.ignore();
  return std::string(std::istreambuf_iterator<char>(words), {});
}

}  // namespace mooring::faults
