// Facts, slabs, rings and registrations: created, queried, shared and destroyed.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "testing/faults/report_checks.h"
#include "testing/faults/scenario.h"
#include "testing/support/files.h"
#include "testing/support/mapped_memory.h"

namespace mooring::faults {
namespace {

using conformance::MappedMemory;
using conformance::Nop;

constexpr uint64_t kMebibyte = 1 << 20;

void Facts(Trial& trial) {
  mooring_facts_t facts = {};
  facts.struct_size = sizeof facts;
  if (!trial.Ok("facts_get", [&] { return mooring_facts_get(&facts); })) return;
  trial.Expect(facts.page_bytes >= 4096 && facts.cpu_count > 0 && facts.numa_node_count > 0,
               "facts of the machine, or the minimum of every machine");
  if (facts.engine == MOORING_ENGINE_IO_URING) return;
  trial.Expect(trial.fired(), std::string("the engine is io_uring when there is no fault: ") +
                                  facts.engine_message);
  const std::string wrong = ProblemOfEngineReason(facts.engine_reason, facts.engine_system_error);
  trial.Expect(wrong.empty(), wrong + ": " + facts.engine_message);
  trial.Expect(facts.engine_message[0] != '\0' && facts.engine_remedy[0] != '\0',
               "a fallback has a message and a remedy");
}

void UseSlab(Trial& trial, const mooring_slab_options_t& options) {
  const Slab slab = trial.CreateSlab(options);
  if (slab == nullptr) return;
  const mooring_lease_t lease = trial.Acquire(slab, static_cast<uint32_t>(options.buffer_count));
  void* const data = mooring_slab_data(slab.get(), lease);
  for (uint64_t at = 0; at < options.buffer_count; ++at) {
    static_cast<char*>(data)[at * options.buffer_bytes] = 'x';
  }
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  trial.Expect(trial.Ok("slab_get_info", [&] { return mooring_slab_get_info(slab.get(), &info); }),
               "get_info succeeds without the facts that the kernel did not report");
  trial.Expect(info.data == data && info.leased_count == options.buffer_count,
               "facts that need no system call are reported");
  trial.Release(slab, lease);
  trial.Expect(trial.Ok("slab_close", [&] { return mooring_slab_close(slab.get(), 0); }),
               "no user of the memory remains");
}

void SlabDefault(Trial& trial) { UseSlab(trial, Trial::SlabOptions()); }

void SlabHuge(Trial& trial) {
  mooring_slab_options_t options = Trial::SlabOptions();
  options.buffer_bytes = kMebibyte;
  UseSlab(trial, options);
}

void SlabRequired(Trial& trial) {
  mooring_slab_options_t options = Trial::SlabOptions();
  options.buffer_bytes = kMebibyte;
  options.huge_pages = MOORING_HUGE_PAGES_REQUIRE;
  options.huge_page_kind = MOORING_PAGE_KIND_TRANSPARENT;
  UseSlab(trial, options);
}

void SlabBound(Trial& trial) {
  mooring_slab_options_t options = Trial::SlabOptions();
  options.numa_policy = MOORING_NUMA_POLICY_BIND;
  UseSlab(trial, options);
}

// Prefaulted by several threads, in chunks of 8 MiB; with huge pages, because they are fast.
void SlabPrefaulted(Trial& trial) {
  mooring_slab_options_t options = Trial::SlabOptions();
  options.buffer_bytes = 2 * kMebibyte;
  options.buffer_count = 6;
  options.huge_pages = MOORING_HUGE_PAGES_REQUIRE;
  options.huge_page_kind = MOORING_PAGE_KIND_TRANSPARENT;
  options.touch_thread_count = 3;
  UseSlab(trial, options);
}

void SlabAdopted(Trial& trial) {
  MappedMemory memory(Trial::kBufferBytes);
  mooring_slab_t* made = nullptr;
  if (!trial.Ok("slab_adopt",
                [&] { return mooring_slab_adopt(memory.data(), memory.size(), nullptr, &made); }))
    return;
  const Slab slab(made);
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  trial.Ok("slab_get_info", [&] { return mooring_slab_get_info(slab.get(), &info); });
  trial.Expect(info.adopted == 1 && info.data == memory.data(),
               "the slab is in the caller's memory");
  trial.Expect(trial.Ok("slab_close", [&] { return mooring_slab_close(slab.get(), 0); }),
               "no user of the memory remains");
}

void SlabImported(Trial& trial) {
  conformance::Fd memfd(memfd_create("imported", MFD_CLOEXEC));
  trial.Expect(ftruncate(memfd.get(), Trial::kBufferBytes) == 0, "the memfd has its size");
  mooring_slab_t* made = nullptr;
  if (!trial.Ok("slab_import",
                [&] { return mooring_slab_import(memfd.get(), 0, 0, nullptr, &made); }))
    return;
  const Slab slab(made);
  memfd.Close();
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  trial.Ok("slab_get_info", [&] { return mooring_slab_get_info(slab.get(), &info); });
  trial.Expect(info.adopted == 0 && info.total_bytes == Trial::kBufferBytes,
               "the library made its own mapping");
}

// Grown while registered with a ring: it grows completely or nothing changes.
void UseGrowth(Trial& trial, mooring_policy_t policy) {
  mooring_slab_options_t options = Trial::SlabOptions();
  options.buffer_count_max = 2 * options.buffer_count;
  const Slab slab = trial.CreateSlab(options);
  const Ring ring = trial.CreateRing();
  if (slab == nullptr || ring == nullptr) return;
  const Registration registration = trial.Register(ring, slab, policy);
  const auto grow = [&] { return mooring_slab_grow(slab.get(), options.buffer_count); };
  bool grown = trial.Ok("slab_grow", grow);
  if (!grown && !trial.lasting()) {
    grown = trial.Ok("slab_grow", grow);
    trial.Expect(grown, "the second attempt succeeds");
  }
  const uint64_t count = grown ? options.buffer_count_max : options.buffer_count;
  mooring_slab_info_t info = {};
  info.struct_size = sizeof info;
  trial.Ok("slab_get_info", [&] { return mooring_slab_get_info(slab.get(), &info); });
  trial.Expect(info.buffer_count == count && info.total_bytes == count * options.buffer_bytes,
               "all new buffers are added, or none");
  if (registration != nullptr) {
    trial.Expect(trial.Report(registration).bytes_requested == info.total_bytes,
                 "the registration covers the slab");
  }
  const mooring_lease_t lease = trial.Acquire(slab, static_cast<uint32_t>(count));
  std::memset(mooring_slab_data(slab.get(), lease), 'x', info.total_bytes);
  trial.Release(slab, lease);
}

void GrowthPrefer(Trial& trial) { UseGrowth(trial, MOORING_POLICY_PREFER); }

void GrowthRequire(Trial& trial) {
  if (trial.mode().uses_io_uring()) UseGrowth(trial, MOORING_POLICY_REQUIRE);
}

// More nops than the submission queue holds.
void RingNops(Trial& trial) {
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  const Results results = trial.Perform(ring, std::vector<mooring_op_t>(20, Nop()));
  for (const OperationResult& operation : results) trial.ExpectDone("a nop", operation, 0);
  trial.ExpectIdle(ring);
  trial.Expect(trial.Ok("ring_close", [&] { return mooring_ring_close(ring.get(), 0); }),
               "nothing is in flight");
}

bool HasTable(const Ring& ring) {
  mooring_ring_info_t info = {};
  info.struct_size = sizeof info;
  mooring_error_destroy(mooring_ring_get_info(ring.get(), &info));
  return info.fixed_buffer_count > 0;
}

// The ring has one slot: if it leaks, the next registration fails.
void UseRegistration(Trial& trial, mooring_policy_t policy) {
  mooring_ring_options_t options = trial.RingOptions();
  options.fixed_buffer_count = 1;
  const Slab slab = trial.CreateSlab();
  const Ring ring = trial.CreateRing(options);
  if (slab == nullptr || ring == nullptr) return;
  Registration registration = trial.Register(ring, slab, policy);
  bool fault_fired = trial.fired() && trial.lasting();
  if (registration != nullptr) {
    const bool fired_before = trial.fired();
    trial.Ok("registration_promote",
             [&] { return mooring_registration_promote(registration.get()); });
    const mooring_registration_info_t info = trial.Report(registration);
    const bool fixed = info.outcome == MOORING_OUTCOME_FIXED;
    // If no budget was about to be released, a prefix is kept in the only slot.
    const bool full = info.bytes_fixed > 0 && info.reason == MOORING_REASON_TABLE_FULL;
    fault_fired = fault_fired || trial.fired() != fired_before;
    trial.Expect(fixed || full || fault_fired || !HasTable(ring),
                 "promote pins the memory after one failure");
  }
  const bool fired_before = trial.fired();
  registration.reset();
  // If clearing a slot fails, the slot stays busy until the ring closes: its pages are still
  // pinned.
  fault_fired = fault_fired || trial.fired() != fired_before;
  const Registration second = trial.Register(ring, slab);
  if (second == nullptr || fault_fired || trial.fired() != fired_before || !HasTable(ring)) return;
  trial.Expect(trial.Report(second).outcome == MOORING_OUTCOME_FIXED, "the slot is free again");
}

void RegistrationPrefer(Trial& trial) { UseRegistration(trial, MOORING_POLICY_PREFER); }

void RegistrationRequire(Trial& trial) {
  if (trial.mode().uses_io_uring()) UseRegistration(trial, MOORING_POLICY_REQUIRE);
}

// The second ring clones the pins of the first, and keeps them after the first is destroyed.
void Clone(Trial& trial) {
  const Slab slab = trial.CreateSlab();
  Ring first = trial.CreateRing();
  const Ring second = trial.CreateRing();
  if (slab == nullptr || first == nullptr || second == nullptr) return;
  Registration pinned = trial.Register(first, slab);
  const Registration cloned = trial.Register(second, slab);
  if (pinned != nullptr && cloned != nullptr && !trial.fired()) {
    trial.Expect(trial.Report(cloned).bytes_cloned == Trial::kBufferBytes * Trial::kBufferCount,
                 "the second registration is a clone");
  }
  first.reset();
  pinned.reset();
  if (cloned == nullptr) return;
  trial.Ok("registration_promote", [&] { return mooring_registration_promote(cloned.get()); });
  const mooring_registration_info_t info = trial.Report(cloned);
  trial.Expect(info.outcome == MOORING_OUTCOME_FIXED || trial.fired(), "the clone keeps its pins");
}

constexpr Scenario kScenarios[] = {
    {"facts", &Facts, kInAuto, kInAuto},
    {"slab_default", &SlabDefault, kInAuto, kInAuto},
    {"slab_huge", &SlabHuge, kInAuto},
    {"slab_required", &SlabRequired, kInAuto},
    {"slab_bound", &SlabBound, kInAuto},
    {"slab_prefaulted", &SlabPrefaulted, kInAuto},
    {"slab_adopted", &SlabAdopted, kInAuto},
    {"slab_imported", &SlabImported, kInAuto},
    {"ring", &RingNops, kInNamed | kInAuto, kInBoth},
    {"registration_prefer", &RegistrationPrefer, kInBoth | kInOwner | kInAuto, kInIoUring},
    {"registration_require", &RegistrationRequire, kInIoUring},
    {"clone", &Clone, kInIoUring},
    {"growth_prefer", &GrowthPrefer, kInBoth | kInOwner | kInAuto},
    {"growth_require", &GrowthRequire, kInIoUring},
};

}  // namespace

std::span<const Scenario> ObjectScenarios() { return kScenarios; }

}  // namespace mooring::faults
