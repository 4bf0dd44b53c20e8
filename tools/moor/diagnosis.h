// Diagnosis: the findings of `moor doctor`. doctor_report.h formats them.
//
// Lifecycle: the constructor creates a session as a trial, and the object owns it.
// Threading: one owner.
#ifndef MOORING_TOOLS_MOOR_EXAMINATION_H_
#define MOORING_TOOLS_MOOR_EXAMINATION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mooring/mooring.h>

#include "tools/moor/failure.h"
#include "tools/moor/memory_plan.h"
#include "tools/moor/session.h"

namespace moor {

struct FeatureName {
  uint64_t bit;
  const char* name;
};

// In the order of facts.h.
extern const std::array<FeatureName, 14> kFeatureNames;

class Diagnosis {
 public:
  explicit Diagnosis(uint64_t slab_bytes);

  const mooring_facts_t& facts() const { return facts_; }
  const SlabPlan& plan() const { return plan_; }

  // Nothing if a session with this slab cannot be created: failure() then gives the reason.
  const std::optional<Session>& session() const { return session_; }
  const std::optional<Failure>& failure() const { return failure_; }

  // The changes to make, without duplicates. Empty if there are none.
  std::vector<std::string> Changes() const;

 private:
  mooring_facts_t facts_ = {};
  SlabPlan plan_;
  std::optional<Session> session_;
  std::optional<Failure> failure_;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_EXAMINATION_H_
