#include "tools/moor/diagnosis.h"

#include <algorithm>

namespace moor {

const std::array<FeatureName, 14> kFeatureNames = {{
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
}};

Diagnosis::Diagnosis(uint64_t slab_bytes) {
  facts_.struct_size = sizeof facts_;
  Check(mooring_facts_get(&facts_));
  TransferOptions options;
  options.slab_bytes = slab_bytes;
  plan_ = PlanSlab(options);
  try {
    session_.emplace(options, plan_);
  } catch (const Failure& failure) {
    failure_ = failure;
  }
}

std::vector<std::string> Diagnosis::Changes() const {
  std::vector<std::string> changes;
  const auto add = [&changes](const std::string& change) {
    if (!change.empty() && std::find(changes.begin(), changes.end(), change) == changes.end()) {
      changes.push_back(change);
    }
  };
  if (session_) {
    add(session_->EngineRemedy());
    add(session_->RegistrationRemedy());
  } else {
    add(facts_.engine_remedy);
    add(failure_->remedy());
  }
  return changes;
}

}  // namespace moor
