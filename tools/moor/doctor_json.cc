#include <nlohmann/json.hpp>

#include "tools/moor/doctor_report.h"
#include "tools/moor/names.h"
#include "tools/moor/session_json.h"

namespace moor {
namespace {

using Json = nlohmann::ordered_json;

Json FeaturesJson(uint64_t features) {
  Json json = Json::object();
  for (const FeatureName& feature : kFeatureNames) {
    json[feature.name] = (features & feature.bit) != 0;
  }
  return json;
}

Json SlabJson(const Diagnosis& diagnosis) {
  const SlabPlan& plan = diagnosis.plan();
  Json json = {{"bytes", plan.total_bytes()},
               {"buffer_bytes", plan.buffer_bytes},
               {"buffer_count", plan.buffer_count}};
  if (!diagnosis.session()) {
    json["error"] = {{"message", diagnosis.failure()->message()},
                     {"remedy", diagnosis.failure()->remedy()}};
    return json;
  }
  const mooring_slab_info_t& slab = diagnosis.session()->slab_info();
  json["page_kind"] = PageKindName(slab.page_kind);
  json["page_bytes"] = slab.page_bytes;
  json["huge_page_bytes"] = slab.huge_page_total_bytes;
  json["numa_node"] = slab.numa_node;
  json["note"] = slab.note;
  return json;
}

}  // namespace

std::string DoctorJson(const Diagnosis& diagnosis) {
  const mooring_facts_t& facts = diagnosis.facts();
  Json json = {
      {"version", mooring_version_string()},
      {"kernel", {{"release", facts.kernel_release}}},
      {"engine",
       {{"name", EngineName(facts.engine)},
        {"reason", EngineReasonName(facts.engine_reason)},
        {"message", facts.engine_message},
        {"remedy", facts.engine_remedy},
        {"system_error", facts.engine_system_error}}},
      {"features", FeaturesJson(facts.features)},
      {"memlock",
       {{"soft_bytes", LimitJson(facts.memlock_soft_bytes)},
        {"hard_bytes", LimitJson(facts.memlock_hard_bytes)},
        {"exempt", facts.memlock_exempt != 0},
        {"rings_charged", facts.ring_charged != 0}}},
      {"huge_pages",
       {{"transparent", TransparentHugePagesName(facts.transparent_huge_pages)},
        {"transparent_page_bytes", facts.transparent_huge_page_bytes},
        {"reserved_page_bytes", facts.hugetlb_page_bytes},
        {"reserved_total", facts.hugetlb_pages_total},
        {"reserved_free", facts.hugetlb_pages_free}}},
      {"numa", {{"nodes", facts.numa_node_count}}},
      {"cpus", facts.cpu_count},
      {"page_bytes", facts.page_bytes},
      {"slab", SlabJson(diagnosis)},
  };
  if (diagnosis.session()) {
    json["registration"] = RegistrationJson(*diagnosis.session());
  }
  json["changes"] = diagnosis.Changes();
  return json.dump() + "\n";
}

}  // namespace moor
