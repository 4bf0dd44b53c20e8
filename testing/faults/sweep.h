// sweep.h: every scenario, once for every fault that can strike it.
//
// A sweep runs a scenario untouched, to see which calls it makes; then once for each fault of each
// of those calls, until the number of the call is larger than there are calls. After each run the
// process must hold what it held before. A run that fails, crashes or hangs is named by what
// repeats it alone.
//
// What Mooring does once in a process is struck in a sweep of first uses: each run is the first
// thing that a child of fork(2) does, and the same without a fault comes after it.
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
  // Every errno and every number; else the most telling errnos, and of many calls some.
  bool full = false;
};

class Sweep {
 public:
  Sweep(const Scenario& scenario, const Mode& mode, const SweepOptions& options)
      : scenario_(scenario), mode_(mode), options_(options) {}

  // Tells GoogleTest what fails. Returns how many faults have struck.
  uint64_t Run();

 private:
  struct Outcome {
    PlanResult result;
    bool suffered = false;
  };

  void RunKind(CallKind kind);
  void RunFault(FaultPlan plan);
  Outcome RunOnce(const FaultPlan& plan);
  // Return complaints.
  std::string RunHere(const FaultPlan& plan, Outcome* outcome);
  std::string RunInFreshProcess(const FaultPlan& plan, Outcome* outcome) const;
  std::string Name() const { return std::string(mode_.name) + "/" + scenario_.name; }

  const Scenario& scenario_;
  const Mode& mode_;
  const SweepOptions options_;
  Holdings before_;
  uint64_t struck_count_ = 0;
};

// For what ends the program in the middle of a run: prints what repeats it.
void NameFatalRuns();

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_SWEEP_H_
