#include <algorithm>
#include <string>

#include "tools/moor/doctor_report.h"
#include "tools/moor/names.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr size_t kLabelColumns = 20;

std::string Line(const std::string& label, const std::string& text) {
  return "  " + label +
         std::string(label.size() < kLabelColumns ? kLabelColumns - label.size() : 1, ' ') + text +
         "\n";
}

std::string OptionalLine(const std::string& label, const std::string& text) {
  return text.empty() ? "" : Line(label, text);
}

std::string Limit(uint64_t bytes) { return bytes == UINT64_MAX ? "unlimited" : FormatBytes(bytes); }

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }

std::string WithReason(const std::string& name, const std::string& reason) {
  return reason == "none" ? name : name + " (" + reason + ")";
}

std::string KernelAndEngine(const mooring_facts_t& facts) {
  std::string text = "kernel\n" + Line("release", facts.kernel_release);
  text += "\nengine\n";
  text +=
      Line("chosen", WithReason(EngineName(facts.engine), EngineReasonName(facts.engine_reason)));
  text += OptionalLine("why", facts.engine_message);
  text += "\nfeatures\n";
  if (facts.features == 0) {
    return text + Line("none", "io_uring is not available");
  }
  for (const FeatureName& feature : kFeatureNames) {
    std::string label = feature.name;
    std::replace(label.begin(), label.end(), '_', ' ');
    text += Line(label, YesNo((facts.features & feature.bit) != 0));
  }
  return text;
}

std::string Memory(const mooring_facts_t& facts) {
  std::string text = "\nmemlock\n";
  text += Line("limit", Limit(facts.memlock_soft_bytes) + " soft, " +
                            Limit(facts.memlock_hard_bytes) + " hard");
  text += Line("exempt", facts.memlock_exempt != 0 ? "yes (CAP_IPC_LOCK)" : "no");
  text += Line("rings are charged", YesNo(facts.ring_charged != 0));
  text += "\nhuge pages\n";
  std::string transparent = TransparentHugePagesName(facts.transparent_huge_pages);
  if (facts.transparent_huge_page_bytes > 0) {
    transparent += ", " + FormatBytes(facts.transparent_huge_page_bytes) + " each";
  }
  text += Line("transparent", transparent);
  text += Line("reserved", facts.hugetlb_page_bytes == 0
                               ? "none"
                               : std::to_string(facts.hugetlb_pages_free) + " of " +
                                     std::to_string(facts.hugetlb_pages_total) + " free, " +
                                     FormatBytes(facts.hugetlb_page_bytes) + " each");
  text += "\nNUMA\n";
  text += Line("nodes", std::to_string(facts.numa_node_count));
  text += Line("CPUs", std::to_string(facts.cpu_count));
  return text;
}

std::string Slab(const Diagnosis& diagnosis) {
  const SlabPlan& plan = diagnosis.plan();
  std::string text = "\nslab of " + FormatBytes(plan.total_bytes()) + "\n";
  if (!diagnosis.session()) {
    return text + Line("unavailable", diagnosis.failure()->message());
  }
  const Session& session = *diagnosis.session();
  const mooring_slab_info_t& slab = session.slab_info();
  const mooring_registration_info_t& info = session.registration_info();
  text +=
      Line("buffers", std::to_string(plan.buffer_count) + " of " + FormatBytes(plan.buffer_bytes));
  text += Line("pages", std::string(PageKindName(slab.page_kind)) + ", " +
                            FormatBytes(slab.page_bytes) + " each; " +
                            FormatBytes(slab.huge_page_total_bytes) + " on huge pages");
  text += OptionalLine("note", slab.note);
  text += Line("outcome", WithReason(OutcomeName(info.outcome), ReasonName(info.reason)));
  text +=
      Line("pinned", FormatBytes(info.bytes_fixed) + " of " + FormatBytes(info.bytes_requested));
  text += OptionalLine("why", info.message);
  return text;
}

}  // namespace

std::string DoctorText(const Diagnosis& diagnosis) {
  std::string text = std::string("moor ") + mooring_version_string() + "\n\n" +
                     KernelAndEngine(diagnosis.facts()) + Memory(diagnosis.facts()) +
                     Slab(diagnosis) + "\nwhat to change\n";
  const std::vector<std::string> changes = diagnosis.Changes();
  for (const std::string& change : changes) {
    text += "  - " + change + "\n";
  }
  return changes.empty() ? text + "  nothing\n" : text;
}

}  // namespace moor
