// sweep.h: runs every scenario once for every fault that can occur in it.
//
// A sweep runs a scenario without a fault, to learn which calls it makes; then once for each fault
// of each of those calls, until the number of the call exceeds the number of calls. After each run
// the process must hold the same resources as before. For a run that fails, crashes or hangs, the
// sweep prints the arguments that repeat that run alone.
//
// Initialization that Mooring does once in a process is covered by a sweep of first uses: each run
// happens in a new child of fork(2), followed by the same scenario without a fault.
//
// Threading: the program's main thread.
#ifndef MOORING_TESTING_FAULTS_SWEEP_H_
#define MOORING_TESTING_FAULTS_SWEEP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "testing/faults/fault_plan.h"
#include "testing/faults/holdings.h"
#include "testing/faults/scenario.h"

namespace mooring::faults {

struct SweepOptions {
  std::string scenario;  // "io_uring/copy"; "" = all
  std::optional<CallKind> call;
  std::optional<int> fault;
  uint64_t number = 0;  // 0 = all
  bool lasting = false;
  bool first_use = false;  // this process has not used Mooring yet
  // Every errno and every number; else the most useful errnos and a sample of the calls.
  bool full = false;
};

class Sweep {
 public:
  Sweep(const Scenario& scenario, const Mode& mode, const SweepOptions& options)
      : scenario_(scenario), mode_(mode), options_(options) {}

  // Reports failures to GoogleTest. Returns the number of faults injected.
  uint64_t Run();

 private:
  struct Outcome {
    PlanResult result;
    bool failed = false;
  };

  void RunKind(CallKind kind);
  void RunFault(FaultPlan plan);
  Outcome RunOnce(const FaultPlan& plan);
  // Both return the complaints, "" for none.
  std::string RunHere(const FaultPlan& plan, Outcome* outcome);
  std::string RunInFreshProcess(const FaultPlan& plan, Outcome* outcome) const;
  std::string Name() const { return std::string(mode_.name) + "/" + scenario_.name; }

  const Scenario& scenario_;
  const Mode& mode_;
  const SweepOptions options_;
  Holdings before_;
  uint64_t fault_count_ = 0;
};

// Installs handlers for fatal signals, which print the arguments that repeat the current run.
void PrintRunOnFatalSignal();

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_SWEEP_H_
