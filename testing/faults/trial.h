// trial.h: one run of a scenario under one fault, and the checks of its results.
//
// A scenario makes its calls through the trial, which arms them and checks every error: it must
// have a message and a remedy. A call may fail only after the fault was injected, and its error
// must fit the fault's errno. Each operation that was accepted completes once.
//
//   Ring ring = trial.CreateRing();
//   if (ring == nullptr) return;             // refused because of the fault
//   const Results results = trial.Perform(ring, {Nop(), Nop()});
//
// Threading: the sweep's thread.
#ifndef MOORING_TESTING_FAULTS_TRIAL_H_
#define MOORING_TESTING_FAULTS_TRIAL_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "testing/faults/fault_plan.h"
#include "testing/support/operations.h"

namespace mooring::faults {

// How the rings of a scenario are made.
struct Mode {
  const char* name;
  mooring_engine_t engine;
  uint32_t flags;

  bool uses_io_uring() const { return engine != MOORING_ENGINE_THREADS; }
};

// The types of testing/support/handles.h, except that the destroy calls are armed.
struct ArmedDestroyer {
  void operator()(mooring_ring_t* ring) const;
  void operator()(mooring_slab_t* slab) const;
  void operator()(mooring_registration_t* registration) const;
};
using Ring = std::unique_ptr<mooring_ring_t, ArmedDestroyer>;
using Slab = std::unique_ptr<mooring_slab_t, ArmedDestroyer>;
using Registration = std::unique_ptr<mooring_registration_t, ArmedDestroyer>;

struct OperationResult {
  uint64_t user_data = 0;
  bool accepted = false;  // by submit
  bool completed = false;
  mooring_completion_t completion = {};

  int64_t result() const { return completion.result; }
  bool ok() const { return completed && completion.result >= 0; }
};
using Results = std::vector<OperationResult>;

class Trial {
 public:
  static constexpr uint64_t kBufferBytes = 64 * 1024;
  static constexpr uint64_t kBufferCount = 4;

  Trial(const Mode& mode, const FaultPlan& plan) : mode_(mode), plan_(plan) {}

  const Mode& mode() const { return mode_; }

  // Makes `call`, which returns a mooring_error_t*, and checks the error. True when there is none.
  template <typename Call>
  bool Ok(const char* what, Call call) {
    mooring_error_t* error = nullptr;
    {
      const Armed armed;
      error = call();
    }
    return Judge(what, error);
  }

  // Null if the call failed. Errors and reports must fit the fault.
  Ring CreateRing(const mooring_ring_options_t& options);
  Ring CreateRing() { return CreateRing(RingOptions()); }
  Slab CreateSlab(const mooring_slab_options_t& options);
  Slab CreateSlab() { return CreateSlab(SlabOptions()); }
  Registration Register(const Ring& ring, const Slab& slab,
                        mooring_policy_t policy = MOORING_POLICY_PREFER,
                        uint32_t provided_buffer_count = 0);
  mooring_registration_info_t Report(const Registration& registration);
  mooring_lease_t Acquire(const Slab& slab, uint32_t buffer_count = 1);
  void Release(const Slab& slab, const mooring_lease_t& lease);

  mooring_ring_options_t RingOptions() const;
  static mooring_slab_options_t SlabOptions();
  static std::byte* Data(const Slab& slab, uint64_t offset = 0);

  // Submits, and waits for one completion of each operation that was accepted.
  Results Perform(const Ring& ring, std::vector<mooring_op_t> operations);
  // Submits; Await waits for those completions.
  Results Begin(const Ring& ring, std::vector<mooring_op_t> operations);
  void Await(const Ring& ring, Results* results);
  // Await for operations that would not complete by themselves: cancels them, and cancels again if
  // a fault made the cancellation fail.
  void CancelAndAwait(const Ring& ring, Results* results);
  // Reaps without waiting; true when all of `results` are complete.
  bool ReapAvailable(const Ring& ring, Results* results) { return Reap(ring, 0, results); }

  // Removes and returns the completions with MORE received so far.
  std::vector<mooring_completion_t> TakeParts() { return std::exchange(parts_, {}); }

  // Nothing is in flight, and as many operations were completed as submitted.
  void ExpectIdle(const Ring& ring);
  void ExpectNoLeases(const Slab& slab);

  // `operation` can fail only because of the fault.
  void ExpectDone(const char* what, const OperationResult& operation, int64_t result);
  void Expect(bool condition, const std::string& claim);
  bool fired() const { return HasFired(); }
  bool lasting() const { return plan_.lasting; }

  // "" if all checks passed.
  const std::string& complaint() const { return complaint_; }
  // Whether a call or an operation failed.
  bool failed() const { return failed_; }

 private:
  bool Judge(const char* what, mooring_error_t* error);
  void Complain(const std::string& what);
  void CheckEngine(const Ring& ring);
  void CheckReport(const mooring_registration_info_t& info, mooring_policy_t policy);
  // Reaps once, for at most `timeout_ns`; true when all of `results` are complete.
  bool Reap(const Ring& ring, int64_t timeout_ns, Results* results);

  const Mode& mode_;
  const FaultPlan& plan_;
  uint64_t next_user_data_ = 1;
  std::set<uint64_t> pending_;
  std::map<uint64_t, mooring_completion_t> arrived_;  // completions not yet stored in Results
  std::vector<mooring_completion_t> parts_;  // completions with MORE, of multishot operations
  bool failed_ = false;
  std::string complaint_;
};

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_TRIAL_H_
