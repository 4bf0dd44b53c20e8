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

// One wait for completions; what is not there by then is asked for again.
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
  if (!condition) Complain("not so: " + claim);
}

bool Trial::Judge(const char* what, mooring_error_t* error) {
  if (error == nullptr) return true;
  suffered_ = true;
  const Failure failure = conformance::Take(error);
  if (!fired()) Complain(std::string(what) + " failed before any fault: " + failure.ToString());
  const std::string wrong = WrongWith(failure);
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
  Expect(ok == (made != nullptr), "ring_create gives a ring or an error");
  Ring ring(made);
  if (ring != nullptr) CheckEngine(ring);
  return ring;
}

void Trial::CheckEngine(const Ring& ring) {
  mooring_ring_info_t info = {};
  info.struct_size = sizeof info;
  if (!Judge("ring_get_info", mooring_ring_get_info(ring.get(), &info))) return;
  if (mode_.engine != MOORING_ENGINE_AUTO) {
    Expect(info.engine == mode_.engine, "an engine that was named is never replaced");
    return;
  }
  if (info.engine == MOORING_ENGINE_IO_URING) return;
  suffered_ = true;
  Expect(fired(), "io_uring, when there is no fault");
  const std::string wrong = WrongWithEngine(info.engine_reason, info.system_error);
  if (!wrong.empty()) Complain(wrong + ": " + info.message);
  Expect(info.message[0] != '\0' && info.remedy[0] != '\0', "a fallback says why and what to do");
}

Slab Trial::CreateSlab(const mooring_slab_options_t& options) {
  mooring_slab_t* made = nullptr;
  const bool ok = Ok("slab_create", [&] { return mooring_slab_create(&options, &made); });
  Expect(ok == (made != nullptr), "slab_create gives a slab or an error");
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
  Expect(ok == (made != nullptr), "registration_create gives a registration or an error");
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
    Expect(info.bytes_fixed == info.bytes_requested, "FIXED means every byte");
    return;
  }
  Expect(policy != MOORING_POLICY_REQUIRE, "REQUIRE pins all of it or fails");
  Expect(info.message[0] != '\0' && info.remedy[0] != '\0', "a fallback says why and what to do");
  if (info.reason == MOORING_REASON_ENGINE_THREADS) return;
  suffered_ = true;
  Expect(fired(), "FIXED, when there is no fault");
  const std::string wrong = WrongWithReason(info.reason, info.system_error);
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

Answers Trial::Perform(const Ring& ring, std::vector<mooring_op_t> operations) {
  Answers answers = Begin(ring, std::move(operations));
  Await(ring, &answers);
  return answers;
}

Answers Trial::Begin(const Ring& ring, std::vector<mooring_op_t> operations) {
  Answers answers(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    operations[i].user_data = answers[i].user_data = next_user_data_++;
  }
  std::optional<SqpollThreadRest> rest;
  if ((mode_.flags & MOORING_RING_SQPOLL) != 0 && pending_.empty()) rest.emplace();
  uint32_t accepted = 0;
  const auto count = static_cast<uint32_t>(operations.size());
  const bool ok = Ok("ring_submit", [&] {
    return mooring_ring_submit(ring.get(), operations.data(), count, &accepted);
  });
  Expect(ok == (accepted == count), "all are taken, or an error tells which one is not");
  for (uint32_t i = 0; i < accepted; ++i) {
    answers[i].taken = true;
    pending_.insert(answers[i].user_data);
  }
  return answers;
}

bool Trial::Reap(const Ring& ring, int64_t timeout_ns, Answers* answers) {
  mooring_completion_t batch[8];
  uint32_t got = 0;
  bool all = true;
  const auto collect = [&] {
    all = true;
    for (Answer& answer : *answers) {
      const auto found = arrived_.find(answer.user_data);
      if (found != arrived_.end()) {
        answer.came = true;
        answer.completion = found->second;
        arrived_.erase(found);
      }
      all = all && (!answer.taken || answer.came);
    }
  };
  collect();
  if (all) return true;
  (void)Ok("ring_reap",
           [&] { return mooring_ring_reap(ring.get(), batch, 8, 1, timeout_ns, &got); });
  for (uint32_t i = 0; i < got; ++i) {
    if ((batch[i].flags & MOORING_COMPLETION_MORE) != 0) {
      if (!pending_.contains(batch[i].user_data)) Complain("an operation went on after its end");
      parts_.push_back(batch[i]);
      continue;
    }
    if (pending_.erase(batch[i].user_data) == 0)
      Complain("a completion came twice, or of nothing that was taken");
    arrived_[batch[i].user_data] = batch[i];
  }
  collect();
  return all;
}

void Trial::Await(const Ring& ring, Answers* answers) {
  if (conformance::Eventually([&] { return Reap(ring, kWaitNs, answers); })) return;
  Complain("an operation was never completed");
}

void Trial::CancelAndAwait(const Ring& ring, Answers* answers) {
  const bool all = conformance::Eventually([&] {
    for (const Answer& answer : *answers) {
      if (!answer.taken || answer.came) continue;
      uint32_t count = 0;
      const Armed armed;
      // NOT_FOUND where it has completed meanwhile.
      mooring_error_destroy(mooring_ring_cancel(ring.get(), answer.user_data, &count));
    }
    return Reap(ring, kCancelNs, answers);
  });
  if (!all) Complain("an operation was never completed, although it was cancelled");
}

void Trial::ExpectDone(const char* what, const Answer& answer, int64_t result) {
  if (!answer.came) return;  // that has been judged
  if (answer.result() == result) return;
  suffered_ = true;
  const bool was_short = answer.result() >= 0 && plan_.fault == kShort;
  if (fired() && (answer.result() < 0 || was_short)) return;
  Complain(std::string(what) + " gave " + std::to_string(answer.result()) + ", not " +
           std::to_string(result));
}

void Trial::ExpectIdle(const Ring& ring) {
  mooring_ring_stats_t stats = {};
  stats.struct_size = sizeof stats;
  if (!Judge("ring_get_stats", mooring_ring_get_stats(ring.get(), &stats))) return;
  Expect(stats.in_flight == 0, "nothing is in flight");
  Expect(stats.submitted == stats.completed, "as many completed as were submitted");
}

void Trial::ExpectNoLeases(const Slab& slab) {
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  if (!Judge("slab_get_info", mooring_slab_get_info(slab.get(), &info))) return;
  Expect(info.leased_count == 0, "every lease is back");
  Expect(info.held_count == 0, "no lease is held");
}

}  // namespace mooring::faults
