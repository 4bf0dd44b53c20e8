#include "testing/support/path_report.h"

#include "testing/support/errors.h"
#include "testing/support/handles.h"

namespace mooring::conformance {
namespace {

struct Name {
  uint64_t value;
  const char* name;
};

constexpr Name kEngineReasons[] = {
    {MOORING_ENGINE_REASON_NONE, "none"},
    {MOORING_ENGINE_REASON_POLICY, "policy"},
    {MOORING_ENGINE_REASON_MEMLOCK_LIMIT, "memlock_limit"},
    {MOORING_ENGINE_REASON_IO_URING_DENIED, "io_uring_denied"},
    {MOORING_ENGINE_REASON_IO_URING_DISABLED, "io_uring_disabled"},
    {MOORING_ENGINE_REASON_IO_URING_MISSING, "io_uring_missing"},
};

constexpr Name kOutcomes[] = {
    {MOORING_OUTCOME_FIXED, "fixed"},
    {MOORING_OUTCOME_PARTIAL, "partial"},
    {MOORING_OUTCOME_COPY, "copy"},
};

constexpr Name kReasons[] = {
    {MOORING_REASON_NONE, "none"},
    {MOORING_REASON_POLICY, "policy"},
    {MOORING_REASON_MEMLOCK_LIMIT, "memlock_limit"},
    {MOORING_REASON_OUT_OF_MEMORY, "out_of_memory"},
    {MOORING_REASON_BACKING_REFUSED, "backing_refused"},
    {MOORING_REASON_TABLE_FULL, "table_full"},
    {MOORING_REASON_KERNEL_TOO_OLD, "kernel_too_old"},
    {MOORING_REASON_REGISTER_DENIED, "register_denied"},
    {MOORING_REASON_ENGINE_THREADS, "engine_threads"},
    {MOORING_REASON_OWNER_THREAD, "owner_thread"},
};

constexpr Name kFeatures[] = {
    {MOORING_FEATURE_FIXED_BUFFERS, "fixed_buffers"},
    {MOORING_FEATURE_BUFFER_UPDATE, "buffer_update"},
    {MOORING_FEATURE_BUFFER_TAGS, "buffer_tags"},
    {MOORING_FEATURE_SPARSE_TABLE, "sparse_table"},
    {MOORING_FEATURE_CLONE_BUFFERS, "clone_buffers"},
    {MOORING_FEATURE_FIXED_FILES, "fixed_files"},
    {MOORING_FEATURE_WAIT_TIMEOUT, "wait_timeout"},
    {MOORING_FEATURE_SINGLE_ISSUER, "single_issuer"},
    {MOORING_FEATURE_DEFER_TASKRUN, "defer_taskrun"},
    {MOORING_FEATURE_SQPOLL, "sqpoll"},
    {MOORING_FEATURE_SEND_ZERO_COPY, "send_zero_copy"},
    {MOORING_FEATURE_SUBMIT_ALL, "submit_all"},
    {MOORING_FEATURE_ACCEPT_MULTISHOT, "accept_multishot"},
    {MOORING_FEATURE_RECV_MULTISHOT, "recv_multishot"},
};

template <size_t N>
std::string NameOf(const Name (&names)[N], uint64_t value) {
  for (const Name& one : names) {
    if (one.value == value) return one.name;
  }
  return std::to_string(value);
}

// A ring with the slab registered, or why it cannot be created.
struct Setting {
  std::string complaint;
  Ring ring;
  Registration registration;
};

Setting SetUp(const Configuration& configuration, const Slab& slab) {
  Setting setting;
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  if (configuration.ring_options != nullptr) configuration.ring_options(&options);
  mooring_ring_t* ring = nullptr;
  const Failure no_ring = Take(mooring_ring_create(&options, &ring));
  setting.ring.reset(ring);
  if (!no_ring.ok()) {
    setting.complaint = no_ring.ToString();
    return setting;
  }
  mooring_registration_t* registration = nullptr;
  const Failure failure =
      Take(mooring_registration_create(ring, slab.get(), nullptr, &registration));
  setting.registration.reset(registration);
  if (!failure.ok()) setting.complaint = failure.ToString();
  return setting;
}

std::string Describe(const Setting& setting) {
  if (!setting.complaint.empty()) return "failed: " + setting.complaint;
  mooring_ring_info_t ring{};
  ring.struct_size = sizeof ring;
  mooring_registration_info_t info{};
  info.struct_size = sizeof info;
  for (mooring_error_t* error :
       {mooring_ring_get_info(setting.ring.get(), &ring),
        mooring_registration_get_info(setting.registration.get(), &info)}) {
    const Failure failure = Take(error);
    if (!failure.ok()) return "failed: " + failure.ToString();
  }
  if (ring.engine == MOORING_ENGINE_THREADS)
    return "threads: " + NameOf(kEngineReasons, ring.engine_reason);
  if (info.bytes_cloned > 0 && info.bytes_cloned == info.bytes_fixed) return "cloned";
  const std::string outcome = NameOf(kOutcomes, info.outcome);
  return info.reason == MOORING_REASON_NONE ? outcome
                                            : outcome + ": " + NameOf(kReasons, info.reason);
}

}  // namespace

std::string PathReport(const Configuration& configuration) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = kBufferBytes;
  options.buffer_count = kBufferCount;
  if (configuration.slab_options != nullptr) configuration.slab_options(&options);
  mooring_slab_t* made = nullptr;
  const Failure failure = Take(mooring_slab_create(&options, &made));
  const Slab slab(made);
  if (!failure.ok()) return "failed: " + failure.ToString();

  const Setting first = SetUp(configuration, slab);
  const Setting second = SetUp(configuration, slab);
  const std::string one = Describe(first);
  const std::string other = Describe(second);
  return one == other ? one : one + ", " + other;
}

std::string FeatureReport() {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  const Failure failure = Take(mooring_facts_get(&facts));
  if (!failure.ok()) return "failed: " + failure.ToString();
  std::string names;
  for (const Name& feature : kFeatures) {
    if ((facts.features & feature.value) == 0) continue;
    names += (names.empty() ? "" : " ") + std::string(feature.name);
  }
  return names.empty() ? "none" : names;
}

}  // namespace mooring::conformance
