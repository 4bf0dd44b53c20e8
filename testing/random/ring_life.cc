#include "testing/random/ring_life.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <utility>

#include "testing/random/invariant.h"
#include "testing/support/eventually.h"

namespace mooring::workload {

using conformance::Eventually;
using conformance::Fd;

RingLife::RingLife(EpisodeState& episode, Decisions decisions, std::string name)
    : episode_(episode),
      decisions_(decisions),
      name_(std::move(name)),
      ending_(static_cast<Ending>(decisions_.Below(3))),
      landing_(flights_, episode.tally(),
               [](Arena& arena, const SharedLease& lease) { arena.Release(*lease); }) {}

void RingLife::Live() {
  CreateFiles();
  CreateRing();
  if (!is_owned_) StartReaper();
  for (uint64_t left = decisions_.Between(20, 120); left > 0; --left) StepOnce();
  switch (ending_) {
    case Ending::kDrained:
      return EndDrained();
    case Ending::kClosed:
      return EndClosed();
    case Ending::kInFlight:
      return EndInFlight();
  }
}

void RingLife::CreateFiles() {
  file_ = Fd(memfd_create("mooring_random_workload", MFD_CLOEXEC));
  INVARIANT(file_.get() >= 0, "no memfd");
  int quiet[2] = {-1, -1};
  INVARIANT(pipe2(quiet, O_CLOEXEC) == 0, "no pipe");
  quiet_read_end_ = Fd(quiet[0]);
  quiet_write_end_ = Fd(quiet[1]);
  for (ChannelKind kind : kChannelKinds) {
    channels_.push_back(std::make_unique<Channel>(kind, decisions_.Next()));
  }
}

void RingLife::CreateRing() {
  const Surroundings& around = episode_.surroundings;
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.submission_count = 8u << decisions_.Below(3);
  options.completion_count = options.submission_count << decisions_.Below(3);
  options.in_flight_max = static_cast<uint32_t>(decisions_.Between(4, 64));
  options.fixed_buffer_count = decisions_.Chance(30) ? 3 : 0;
  options.fixed_file_count = decisions_.Chance(50) ? 4 : 0;
  options.worker_count = static_cast<uint32_t>(decisions_.Below(4));
  options.sqpoll_idle_ms = 1;
  const bool wants_threads = decisions_.Chance(35);
  const uint64_t kind = decisions_.Below(6);
  is_owned_ = kind < 2;
  if (is_owned_) options.flags |= MOORING_RING_OWNER_THREAD;
  if (!around.has_io_uring || wants_threads) {
    options.engine = MOORING_ENGINE_THREADS;
  } else {
    options.engine = MOORING_ENGINE_IO_URING;
    if (kind == 2) options.flags |= MOORING_RING_SQPOLL;
  }
  mooring_ring_t* made = nullptr;
  mooring_code_t code = CodeOf(mooring_ring_create(&options, &made));
  if (code == MOORING_CODE_MEMLOCK_LIMIT && around.is_memlock_limited) {
    episode_.tally().Add(Step::kRefusedForMemlock);
    options.engine = MOORING_ENGINE_THREADS;
    options.flags &= ~static_cast<uint32_t>(MOORING_RING_SQPOLL);
    code = CodeOf(mooring_ring_create(&options, &made));
  }
  INVARIANT(code == MOORING_CODE_OK, "ring_create gave %s", mooring_code_name(code));
  ring_.reset(made);

  mooring_ring_info_t info{.struct_size = sizeof(info)};
  MUST(mooring_ring_get_info(made, &info));
  INVARIANT(info.engine == options.engine, "asked for engine %u, got %u", options.engine,
            info.engine);
  in_flight_max_ = info.in_flight_max;
  INVARIANT(in_flight_max_ == options.in_flight_max, "in_flight_max is %u", in_flight_max_);
  episode_.tally().Add(info.engine == MOORING_ENGINE_IO_URING ? Step::kRingOfIoUring
                                                              : Step::kRingOfThreads);
  if (is_owned_) episode_.tally().Add(Step::kRingOwned);
  if (info.flags & MOORING_RING_SQPOLL) episode_.tally().Add(Step::kRingPolled);
  // Only the owner thread, which is about to end, can collect completions of the kernel.
  if (is_owned_ && info.engine == MOORING_ENGINE_IO_URING && ending_ == Ending::kInFlight) {
    ending_ = Ending::kClosed;
  }
  has_fixed_file_ = info.fixed_file_count > 0;
  if (has_fixed_file_) MUST(mooring_ring_set_file(made, 0, around.pattern_fd));
  registrations_.resize(episode_.arenas.size());
  for (size_t arena = 0; arena < registrations_.size(); ++arena) Register(arena);
}

SharedRegistration RingLife::TryRegister(size_t arena,
                                         const mooring_registration_options_t& options) {
  mooring_registration_t* made = nullptr;
  const mooring_code_t code = CodeOf(
      mooring_registration_create(ring_.get(), episode_.arenas[arena]->slab(), &options, &made));
  if (options.policy == MOORING_POLICY_REQUIRE && code != MOORING_CODE_OK) {
    // The threads engine; no slot free; not enough memlock.
    INVARIANT(code == MOORING_CODE_UNSUPPORTED || code == MOORING_CODE_EXHAUSTED ||
                  (code == MOORING_CODE_MEMLOCK_LIMIT && episode_.surroundings.is_memlock_limited),
              "a registration with REQUIRE gave %s", mooring_code_name(code));
    if (code == MOORING_CODE_MEMLOCK_LIMIT) episode_.tally().Add(Step::kRefusedForMemlock);
    return nullptr;
  }
  INVARIANT(code == MOORING_CODE_OK, "registration_create gave %s", mooring_code_name(code));
  auto registration = std::make_shared<NamedSlab>();
  registration->handle.reset(made);
  return registration;
}

void RingLife::Register(size_t arena) {
  mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
  constexpr uint32_t kPolicyWeights[] = {70, 20, 10};  // PREFER, REQUIRE, NEVER
  options.policy = static_cast<mooring_policy_t>(decisions_.Weighted(kPolicyWeights));
  options.extent_bytes_max = decisions_.Chance(30) ? 128 * 1024 : 0;
  options.provided_buffer_count =
      decisions_.Chance(40) ? static_cast<uint32_t>(decisions_.Between(1, 5)) : 0;
  SharedRegistration registration = TryRegister(arena, options);
  if (registration == nullptr) {
    options.policy = MOORING_POLICY_PREFER;
    registration = TryRegister(arena, options);
  }
  mooring_registration_info_t info{.struct_size = sizeof(info)};
  MUST(mooring_registration_get_info(registration->handle.get(), &info));
  constexpr Step kOutcomes[] = {Step::kRegistrationFixed, Step::kRegistrationPartial,
                                Step::kRegistrationCopy};
  INVARIANT(info.outcome <= MOORING_OUTCOME_COPY, "outcome %u", info.outcome);
  INVARIANT((info.outcome == MOORING_OUTCOME_FIXED) == (info.bytes_fixed == info.bytes_requested),
            "outcome %u with %" PRIu64 " of %" PRIu64 " bytes", info.outcome, info.bytes_fixed,
            info.bytes_requested);
  INVARIANT(options.policy != MOORING_POLICY_REQUIRE || info.outcome == MOORING_OUTCOME_FIXED,
            "REQUIRE gave outcome %u", info.outcome);
  INVARIANT(options.policy != MOORING_POLICY_NEVER || info.bytes_fixed == 0,
            "NEVER pinned %" PRIu64 " bytes", info.bytes_fixed);
  episode_.tally().Add(kOutcomes[info.outcome]);
  if (info.bytes_cloned > 0) episode_.tally().Add(Step::kRegistrationCloned);
  mooring_extent_info_t extent{.struct_size = sizeof(extent)};
  MUST(mooring_registration_get_extent(registration->handle.get(), 0, &extent));
  registration->fixed_bytes = extent.bytes_fixed;
  registration->is_never = options.policy == MOORING_POLICY_NEVER;
  episode_.registrations.Add(registration);
  registrations_[arena] = std::move(registration);
}

void RingLife::StartReaper() {
  reaper_ = std::thread([this] {
    NameThread(episode_.surroundings.seed, episode_.number, name_ + " reaper");
    ReapUntilStopped();
  });
}

// False once the ring is closed and has nothing left.
bool RingLife::ReapOnce(Decisions& decisions) {
  std::array<mooring_completion_t, 16> completions;
  const auto capacity = static_cast<uint32_t>(decisions.Between(1, completions.size()));
  const auto wanted = static_cast<uint32_t>(decisions.Below(std::min(capacity, 3u) + 1));
  const auto timeout_ns = static_cast<int64_t>(decisions.Below(2'000'000));
  uint32_t count = 0;
  const mooring_code_t code = CodeOf(
      mooring_ring_reap(ring_.get(), completions.data(), capacity, wanted, timeout_ns, &count));
  if (code != MOORING_CODE_OK) {
    INVARIANT(code == MOORING_CODE_INVALID_STATE && is_closing_, "reap gave %s",
              mooring_code_name(code));
    return !is_closed_;  // before that, close uses the completion side
  }
  INVARIANT(count <= capacity, "%u completions in room for %u", count, capacity);
  for (uint32_t i = 0; i < count; ++i) landing_.Land(completions[i]);
  return true;
}

void RingLife::ReapUntilStopped() {
  Decisions decisions = decisions_.Fork(1);
  bool is_last = false;
  while (!is_last) {
    is_last = stops_.load();
    if (!ReapOnce(decisions)) return;
  }
}

void RingLife::DrainChannels() {
  for (const auto& channel : channels_) {
    if (!channel->receiving.load(std::memory_order_acquire)) channel->Drain();
  }
}

void RingLife::ExpectAllLanded() {
  INVARIANT(flights_.InFlight() == 0, "never completed:\n  %s", flights_.Describe().c_str());
  mooring_ring_stats_t stats{.struct_size = sizeof(stats)};
  MUST(mooring_ring_get_stats(ring_.get(), &stats));
  landing_.CheckStats(stats);
}

void RingLife::CancelAll() {
  flights_.ForEach([this](Flight& flight) {
    flight.may_be_cancelled.store(true);
    uint32_t count = 0;
    const mooring_code_t code = CodeOf(mooring_ring_cancel(ring_.get(), flight.user_data, &count));
    INVARIANT(
        code == MOORING_CODE_OK || code == MOORING_CODE_NOT_FOUND || code == MOORING_CODE_EXHAUSTED,
        "cancel gave %s", mooring_code_name(code));
  });
}

void RingLife::EndDrained() {
  Decisions decisions = decisions_.Fork(2);
  const bool landed = Eventually([&] {
    CancelAll();
    DrainChannels();
    if (is_owned_) ReapOnce(decisions);
    return flights_.InFlight() == 0;
  });
  INVARIANT(landed, "cancelled, and never completed:\n  %s", flights_.Describe().c_str());
  stops_ = true;
  if (reaper_.joinable()) reaper_.join();
  ExpectAllLanded();
  episode_.tally().Add(Step::kRingDrained);
  DestroyRing();
}

void RingLife::EndClosed() {
  flights_.ForEach([](Flight& flight) { flight.may_be_cancelled.store(true); });
  is_closing_ = true;
  const bool closed = Eventually([&] {
    DrainChannels();  // otherwise a zero-copy send waits for its acknowledgement
    const mooring_code_t code = CodeOf(mooring_ring_close(ring_.get(), 5'000'000));
    INVARIANT(code == MOORING_CODE_OK || code == MOORING_CODE_TIMEOUT, "close gave %s",
              mooring_code_name(code));
    return code == MOORING_CODE_OK;
  });
  INVARIANT(closed, "kept from closing by\n  %s", flights_.Describe().c_str());
  is_closed_ = true;
  if (is_owned_) {
    Decisions decisions = decisions_.Fork(2);
    while (ReapOnce(decisions)) continue;
  } else {
    reaper_.join();
  }
  ExpectAllLanded();
  episode_.tally().Add(Step::kRingClosed);
  DestroyRing();
}

// The ring here or on another thread; its registrations before or after it, with their last user.
void RingLife::DestroyRing() {
  if (decisions_.Chance(50)) registrations_.clear();
  if (decisions_.Chance(50)) {
    ring_.reset();
  } else {
    episode_.errands.Push([ring = ring_.release()] { mooring_ring_destroy(ring); });
  }
  for (SharedRegistration& registration : registrations_) {
    if (decisions_.Chance(50)) episode_.errands.Push([registration = std::move(registration)] {});
  }
  registrations_.clear();
}

void RingLife::LeaveLeases() {
  flights_.ForEach([this](const Flight& flight) {
    if (flight.lease == nullptr) return;
    if (flight.lease->is_unheld) {
      const std::lock_guard lock(episode_.leftovers.mutex);
      episode_.leftovers.leases.emplace_back(flight.arena, flight.lease);
    } else if (decisions_.Chance(50)) {
      flight.arena->Release(*flight.lease);
    } else {
      episode_.errands.Push(
          [arena = flight.arena, lease = flight.lease] { arena->Release(*lease); });
    }
  });
}

void RingLife::EndInFlight() {
  stops_ = true;
  if (reaper_.joinable()) reaper_.join();
  if (flights_.InFlight() > 0) episode_.tally().Add(Step::kRingDestroyedInFlight);
  const bool leases_first = decisions_.Chance(50);
  if (leases_first) LeaveLeases();
  DestroyRing();
  if (!leases_first) LeaveLeases();
  Leftovers& leftovers = episode_.leftovers;
  const std::lock_guard lock(leftovers.mutex);
  for (Fd* fd : {&file_, &quiet_read_end_, &quiet_write_end_}) {
    leftovers.descriptors.push_back(std::move(*fd));
  }
  for (auto& channel : channels_) leftovers.channels.push_back(std::move(channel));
}

}  // namespace mooring::workload
