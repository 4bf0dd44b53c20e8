#include "testing/faults/trial.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "testing/faults/entry_faults.h"
#include "testing/faults/report_checks.h"
#include "testing/support/errors.h"
#include "testing/support/eventually.h"

namespace mooring::faults {
namespace {

using conformance::Failure;

// Time limit of one reap; Await repeats the reap until all completions are there.
constexpr int64_t kWaitNs = 1'000'000'000;
constexpr int64_t kCancelNs = 20'000'000;

}  // namespace

void ArmedDestroyer::operator()(mooring_ring_t* ring) const {
  const Armed armed;
  mooring_ring_destroy(ring);
}

void ArmedDestroyer::operator()(mooring_slab_t* slab) const {
  const Armed armed;
  mooring_slab_destroy(slab);
}

void ArmedDestroyer::operator()(mooring_registration_t* registration) const {
  const Armed armed;
  mooring_registration_destroy(registration);
}

void Trial::Complain(const std::string& what) {
  if (!complaint_.empty()) complaint_ += "\n";
  complaint_ += what;
}

void Trial::Expect(bool condition, const std::string& claim) {
  if (!condition) Complain("expected: " + claim);
}

bool Trial::Judge(const char* what, mooring_error_t* error) {
  if (error == nullptr) return true;
  failed_ = true;
  const Failure failure = conformance::Take(error);
  if (!fired()) Complain(std::string(what) + " failed before any fault: " + failure.ToString());
  const std::string wrong = ProblemOfError(failure);
  if (!wrong.empty()) Complain(std::string(what) + ": " + wrong + ": " + failure.ToString());
  return false;
}

mooring_ring_options_t Trial::RingOptions() const {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = mode_.engine;
  options.flags = mode_.flags;
  options.submission_count = 16;
  options.fixed_buffer_count = 4;
  options.worker_count = 2;
  options.sqpoll_idle_ms = 1;
  return options;
}

mooring_slab_options_t Trial::SlabOptions() {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = kBufferBytes;
  options.buffer_count = kBufferCount;
  return options;
}

Ring Trial::CreateRing(const mooring_ring_options_t& options) {
  mooring_ring_t* made = nullptr;
  const bool ok = Ok("ring_create", [&] { return mooring_ring_create(&options, &made); });
  Expect(ok == (made != nullptr), "ring_create returns a ring or an error");
  Ring ring(made);
  if (ring != nullptr) CheckEngine(ring);
  return ring;
}

void Trial::CheckEngine(const Ring& ring) {
  mooring_ring_info_t info = {};
  info.struct_size = sizeof info;
  if (!Judge("ring_get_info", mooring_ring_get_info(ring.get(), &info))) return;
  if (mode_.engine != MOORING_ENGINE_AUTO) {
    Expect(info.engine == mode_.engine, "an explicitly chosen engine is never replaced");
    return;
  }
  if (info.engine == MOORING_ENGINE_IO_URING) return;
  failed_ = true;
  Expect(fired(), "the engine is io_uring when there is no fault");
  const std::string wrong = ProblemOfEngineReason(info.engine_reason, info.system_error);
  if (!wrong.empty()) Complain(wrong + ": " + info.message);
  Expect(info.message[0] != '\0' && info.remedy[0] != '\0',
         "a fallback has a message and a remedy");
}

Slab Trial::CreateSlab(const mooring_slab_options_t& options) {
  mooring_slab_t* made = nullptr;
  const bool ok = Ok("slab_create", [&] { return mooring_slab_create(&options, &made); });
  Expect(ok == (made != nullptr), "slab_create returns a slab or an error");
  return Slab(made);
}

Registration Trial::Register(const Ring& ring, const Slab& slab, mooring_policy_t policy,
                             uint32_t provided_buffer_count) {
  mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
  options.policy = policy;
  options.provided_buffer_count = provided_buffer_count;
  mooring_registration_t* made = nullptr;
  const bool ok = Ok("registration_create", [&] {
    return mooring_registration_create(ring.get(), slab.get(), &options, &made);
  });
  Expect(ok == (made != nullptr), "registration_create returns a registration or an error");
  Registration registration(made);
  if (registration != nullptr) CheckReport(Report(registration), policy);
  return registration;
}

mooring_registration_info_t Trial::Report(const Registration& registration) {
  mooring_registration_info_t info = {};
  info.struct_size = sizeof info;
  Judge("registration_get_info", mooring_registration_get_info(registration.get(), &info));
  return info;
}

void Trial::CheckReport(const mooring_registration_info_t& info, mooring_policy_t policy) {
  if (info.outcome == MOORING_OUTCOME_FIXED) {
    Expect(info.bytes_fixed == info.bytes_requested, "FIXED means that every byte is fixed");
    return;
  }
  Expect(policy != MOORING_POLICY_REQUIRE, "REQUIRE pins the whole slab or fails");
  Expect(info.message[0] != '\0' && info.remedy[0] != '\0',
         "a fallback has a message and a remedy");
  if (info.reason == MOORING_REASON_ENGINE_THREADS) return;
  failed_ = true;
  Expect(fired(), "the outcome is FIXED when there is no fault");
  const std::string wrong = ProblemOfReason(info.reason, info.system_error);
  if (!wrong.empty()) Complain(wrong + ": " + info.message);
}

mooring_lease_t Trial::Acquire(const Slab& slab, uint32_t buffer_count) {
  mooring_lease_t lease = {};
  Expect(Ok("slab_acquire", [&] { return mooring_slab_acquire(slab.get(), buffer_count, &lease); }),
         "a lease needs no system call");
  return lease;
}

void Trial::Release(const Slab& slab, const mooring_lease_t& lease) {
  Expect(Ok("slab_release", [&] { return mooring_slab_release(slab.get(), lease); }),
         "releasing a lease needs no system call");
}

std::byte* Trial::Data(const Slab& slab, uint64_t offset) {
  return static_cast<std::byte*>(mooring_slab_data(slab.get(), mooring_lease_t{})) + offset;
}

Results Trial::Perform(const Ring& ring, std::vector<mooring_op_t> operations) {
  Results results = Begin(ring, std::move(operations));
  Await(ring, &results);
  return results;
}

Results Trial::Begin(const Ring& ring, std::vector<mooring_op_t> operations) {
  Results results(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    operations[i].user_data = results[i].user_data = next_user_data_++;
  }
  std::optional<SqpollThreadSleep> sqpoll_sleep;
  if ((mode_.flags & MOORING_RING_SQPOLL) != 0 && pending_.empty()) sqpoll_sleep.emplace();
  uint32_t accepted = 0;
  const auto count = static_cast<uint32_t>(operations.size());
  const bool ok = Ok("ring_submit", [&] {
    return mooring_ring_submit(ring.get(), operations.data(), count, &accepted);
  });
  Expect(ok == (accepted == count), "all operations are accepted, or there is an error");
  for (uint32_t i = 0; i < accepted; ++i) {
    results[i].accepted = true;
    pending_.insert(results[i].user_data);
  }
  return results;
}

bool Trial::Reap(const Ring& ring, int64_t timeout_ns, Results* results) {
  mooring_completion_t batch[8];
  uint32_t got = 0;
  bool all = true;
  const auto collect = [&] {
    all = true;
    for (OperationResult& operation : *results) {
      const auto found = arrived_.find(operation.user_data);
      if (found != arrived_.end()) {
        operation.completed = true;
        operation.completion = found->second;
        arrived_.erase(found);
      }
      all = all && (!operation.accepted || operation.completed);
    }
  };
  collect();
  if (all) return true;
  (void)Ok("ring_reap",
           [&] { return mooring_ring_reap(ring.get(), batch, 8, 1, timeout_ns, &got); });
  for (uint32_t i = 0; i < got; ++i) {
    if ((batch[i].flags & MOORING_COMPLETION_MORE) != 0) {
      if (!pending_.contains(batch[i].user_data))
        Complain("a completion with MORE came after the final completion");
      parts_.push_back(batch[i]);
      continue;
    }
    if (pending_.erase(batch[i].user_data) == 0)
      Complain("a completion came twice, or without an accepted operation");
    arrived_[batch[i].user_data] = batch[i];
  }
  collect();
  return all;
}

void Trial::Await(const Ring& ring, Results* results) {
  if (conformance::Eventually([&] { return Reap(ring, kWaitNs, results); })) return;
  Complain("an operation was never completed");
}

void Trial::CancelAndAwait(const Ring& ring, Results* results) {
  const bool all = conformance::Eventually([&] {
    for (const OperationResult& operation : *results) {
      if (!operation.accepted || operation.completed) continue;
      uint32_t count = 0;
      const Armed armed;
      // NOT_FOUND if it has completed in the meantime.
      mooring_error_destroy(mooring_ring_cancel(ring.get(), operation.user_data, &count));
    }
    return Reap(ring, kCancelNs, results);
  });
  if (!all) Complain("an operation was never completed, although it was cancelled");
}

void Trial::ExpectDone(const char* what, const OperationResult& operation, int64_t result) {
  if (!operation.completed) return;  // already reported
  if (operation.result() == result) return;
  failed_ = true;
  const bool was_short = operation.result() >= 0 && plan_.fault == kShort;
  if (fired() && (operation.result() < 0 || was_short)) return;
  Complain(std::string(what) + " returned " + std::to_string(operation.result()) + ", not " +
           std::to_string(result));
}

void Trial::ExpectIdle(const Ring& ring) {
  mooring_ring_stats_t stats = {};
  stats.struct_size = sizeof stats;
  if (!Judge("ring_get_stats", mooring_ring_get_stats(ring.get(), &stats))) return;
  Expect(stats.in_flight == 0, "nothing is in flight");
  Expect(stats.submitted == stats.completed, "as many operations completed as were submitted");
}

void Trial::ExpectNoLeases(const Slab& slab) {
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  if (!Judge("slab_get_info", mooring_slab_get_info(slab.get(), &info))) return;
  Expect(info.leased_count == 0, "every lease is released");
  Expect(info.held_count == 0, "no lease is held");
}

}  // namespace mooring::faults
