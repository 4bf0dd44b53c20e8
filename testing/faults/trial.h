// trial.h: one run of a scenario under one fault, and what it may and may not do.
//
// A scenario makes its calls through the trial, which arms them and holds every answer against what
// an error owes its reader. A call may fail when the fault has struck, and only then; what it fails
// with must fit the fault's errno. Each operation that was taken completes once.
//
//   Ring ring = trial.CreateRing();
//   if (ring == nullptr) return;             // refused, and rightly so
//   const Answers answers = trial.Perform(ring, {Nop(), Nop()});
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

// As those of testing/support/handles.h, but the calls count.
struct ArmedDestroyer {
  void operator()(mooring_ring_t* ring) const;
  void operator()(mooring_slab_t* slab) const;
  void operator()(mooring_registration_t* registration) const;
};
using Ring = std::unique_ptr<mooring_ring_t, ArmedDestroyer>;
using Slab = std::unique_ptr<mooring_slab_t, ArmedDestroyer>;
using Registration = std::unique_ptr<mooring_registration_t, ArmedDestroyer>;

struct Answer {
  uint64_t user_data = 0;
  bool taken = false;  // by submit
  bool came = false;   // the completion
  mooring_completion_t completion = {};

  int64_t result() const { return completion.result; }
  bool ok() const { return came && completion.result >= 0; }
};
using Answers = std::vector<Answer>;

class Trial {
 public:
  static constexpr uint64_t kBufferBytes = 64 * 1024;
  static constexpr uint64_t kBufferCount = 4;

  Trial(const Mode& mode, const FaultPlan& plan) : mode_(mode), plan_(plan) {}

  const Mode& mode() const { return mode_; }

  // Makes `call`, which returns a mooring_error_t*, and judges the error. True when there is none.
  template <typename Call>
  bool Ok(const char* what, Call call) {
    mooring_error_t* error = nullptr;
    {
      const Armed armed;
      error = call();
    }
    return Judge(what, error);
  }

  // Null where they were refused. What they report must fit the fault.
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

  // Submits, and waits for one completion of each operation that was taken.
  Answers Perform(const Ring& ring, std::vector<mooring_op_t> operations);
  // Submits; Await waits for those completions.
  Answers Begin(const Ring& ring, std::vector<mooring_op_t> operations);
  void Await(const Ring& ring, Answers* answers);
  // As Await, of operations that wait for somebody: cancels them, again where a fault has come
  // between.
  void CancelAndAwait(const Ring& ring, Answers* answers);
  // Reaps what is there now; true when all of `answers` have come.
  bool Glance(const Ring& ring, Answers* answers) { return Reap(ring, 0, answers); }

  // The completions with MORE so far, each once.
  std::vector<mooring_completion_t> TakeParts() { return std::exchange(parts_, {}); }

  // Nothing is in flight, every lease given back is free, and nothing is lost between the counters.
  void ExpectIdle(const Ring& ring);
  void ExpectNoLeases(const Slab& slab);

  // `answer` is of an operation that can fail for no reason but the fault.
  void ExpectDone(const char* what, const Answer& answer, int64_t result);
  void Expect(bool condition, const std::string& claim);
  bool fired() const { return HasFired(); }
  bool lasting() const { return plan_.lasting; }

  // "" when all was well.
  const std::string& complaint() const { return complaint_; }
  // Whether something was refused or failed.
  bool suffered() const { return suffered_; }

 private:
  bool Judge(const char* what, mooring_error_t* error);
  void Complain(const std::string& what);
  void CheckEngine(const Ring& ring);
  void CheckReport(const mooring_registration_info_t& info, mooring_policy_t policy);
  // Reaps once, for as long as `timeout_ns`; true when all of `answers` have come.
  bool Reap(const Ring& ring, int64_t timeout_ns, Answers* answers);

  const Mode& mode_;
  const FaultPlan& plan_;
  uint64_t next_user_data_ = 1;
  std::set<uint64_t> pending_;
  std::map<uint64_t, mooring_completion_t> arrived_;  // of answers not asked for yet
  std::vector<mooring_completion_t> parts_;           // of operations that repeat
  bool suffered_ = false;
  std::string complaint_;
};

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_TRIAL_H_
