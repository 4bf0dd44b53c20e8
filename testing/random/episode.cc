#include "testing/random/episode.h"

#include <sched.h>

#include <cinttypes>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "testing/random/invariant.h"
#include "testing/random/ring_life.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring::workload {
namespace {

constexpr uint32_t kWorkersMax = 3;
constexpr uint32_t kHelpers = 2;
constexpr size_t kGravesMax = 3;

std::byte Mark(Decisions& decisions) { return static_cast<std::byte>(decisions.Below(256)); }

}  // namespace

Episode::Episode(const Surroundings& surroundings, uint64_t number,
                 std::deque<MemoryCanary>& graves)
    : state_(surroundings), decisions_(Decisions(surroundings.seed).Fork(number)), graves_(graves) {
  state_.number = number;
  for (uint64_t left = decisions_.Between(1, 2); left > 0; --left) {
    state_.arenas.push_back(std::make_unique<Arena>(decisions_, state_.tally()));
  }
}

void Episode::Work(uint32_t worker) {
  const std::string name = "ring " + std::to_string(worker);
  NameThread(state_.surroundings.seed, state_.number, name);
  Decisions decisions = decisions_.Fork(worker);
  for (uint64_t life = 0, lives = decisions.Between(1, 4); life < lives; ++life) {
    RingLife(state_, decisions.Fork(life), name).Live();
  }
}

void Episode::Help(uint32_t helper) {
  NameThread(state_.surroundings.seed, state_.number, "helper " + std::to_string(helper));
  Decisions decisions = decisions_.Fork(100 + helper);
  std::deque<LeaseCanary> canaries;
  while (!work_is_done_) {
    constexpr uint32_t kWeights[] = {60, 25, 10, 1, 4};
    switch (decisions.Weighted(kWeights)) {
      case 0:
        if (!state_.errands.RunOne()) sched_yield();
        break;
      case 1: {
        if (canaries.size() >= 3) {
          canaries.front().Release();
          canaries.pop_front();
        }
        Arena& arena = *state_.arenas[decisions.Below(state_.arenas.size())];
        SharedLease lease = arena.Acquire(static_cast<uint32_t>(decisions.Between(1, 3)));
        if (lease == nullptr) break;
        canaries.emplace_back(arena, std::move(lease), Mark(decisions));
        state_.tally().Add(Step::kCanary);
        break;
      }
      case 2:
        if (const SharedRegistration picked = state_.registrations.Pick(decisions)) {
          const mooring_code_t code = CodeOf(mooring_registration_promote(picked->handle.get()));
          INVARIANT(code == MOORING_CODE_OK || code == MOORING_CODE_INVALID_STATE,
                    "promote gave %s", mooring_code_name(code));
          state_.tally().Add(Step::kPromotion);
        }
        break;
      case 3:
        state_.arenas[decisions.Below(state_.arenas.size())]->Grow(decisions);
        break;
      default: {
        Arena& arena = *state_.arenas[decisions.Below(state_.arenas.size())];
        mooring_slab_info_t info{.struct_size = sizeof(info)};
        MUST(mooring_slab_get_info(arena.slab(), &info));
        INVARIANT(info.leased_count <= info.buffer_count, "%" PRIu64 " of %" PRIu64 " leased",
                  info.leased_count, info.buffer_count);
      }
    }
  }
  for (LeaseCanary& canary : canaries) canary.Release();
}

void Episode::Run() {
  NameThread(state_.surroundings.seed, state_.number, "main");
  std::vector<std::thread> workers;
  std::vector<std::thread> helpers;
  for (uint32_t i = 0, count = static_cast<uint32_t>(decisions_.Between(1, kWorkersMax)); i < count;
       ++i) {
    workers.emplace_back([this, i] { Work(i); });
  }
  for (uint32_t i = 0; i < kHelpers; ++i) helpers.emplace_back([this, i] { Help(i); });
  for (std::thread& worker : workers) worker.join();
  work_is_done_ = true;
  for (std::thread& helper : helpers) helper.join();
  while (state_.errands.RunOne()) continue;
  EndSlabs();
  state_.tally().Add(Step::kEpisode);
}

// After the close the memory belongs to the workload again, and a canary checks it.
void Episode::EndAdopted(Arena& arena) {
  std::vector<SharedLease> leases;
  for (const auto& [owner, lease] : state_.leftovers.leases) {
    if (owner == &arena) leases.push_back(lease);
  }
  const bool closed = conformance::Eventually(
      [&] {
        DiscardSent();
        return arena.TryClose();
      },
      kEndPatience);
  INVARIANT(closed, "a slab without users cannot be closed");
  arena.ExpectUnused(leases);
  arena.DestroySlab();
  graves_.emplace_back(arena.TakeMemory(), Mark(decisions_));
}

// No other thread maps memory now, so the addresses are not reused after the unmap.
void Episode::EndCreated(Arena& arena) {
  const std::byte* const data = arena.data();
  arena.DestroySlab();
  const bool gone = conformance::Eventually(
      [&] {
        DiscardSent();
        // Operations of destroyed rings may complete late; a later call collects them.
        mooring_ring_t* ring = nullptr;
        mooring_error_destroy(mooring_ring_create(nullptr, &ring));
        mooring_ring_destroy(ring);
        return !conformance::IsMapped(data);
      },
      kEndPatience);
  INVARIANT(gone, "the memory of a destroyed slab is still mapped");
}

// A zero-copy send holds its memory until its bytes have arrived.
void Episode::DiscardSent() {
  for (const auto& channel : state_.leftovers.channels) channel->Discard();
}

void Episode::EndSlabs() {
  for (const auto& arena : state_.arenas) {
    if (arena->is_adopted()) {
      EndAdopted(*arena);
    } else {
      EndCreated(*arena);
    }
  }
  for (const MemoryCanary& grave : graves_) grave.Check();
  while (graves_.size() > kGravesMax) graves_.pop_front();
}

}  // namespace mooring::workload
