#include "mooring/facts.h"

#include "c_api/src/handles.h"
#include "c_api/src/structs.h"
#include "cpp/engine/create_engine.h"
#include "cpp/os/kernel.h"
#include "cpp/os/memlock.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/os/numa.h"
#include "cpp/os/pages.h"

namespace mooring::c_api {
namespace {

static_assert(MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS == static_cast<uint32_t>(ThpMode::kAlways));
static_assert(sizeof(mooring_facts_t) == 952,
              "c_api/src/facts.cc: set the new field in mooring_facts_get or FillMemory, then "
              "change the size here");

void FillMemory(mooring_facts_t& facts) {
  const MemlockLimits memlock = ReadMemlockLimits();
  facts.memlock_soft_bytes = memlock.soft_bytes;
  facts.memlock_hard_bytes = memlock.hard_bytes;
  facts.memlock_exempt = memlock.exempt;
  facts.memlock_used_bytes = MemlockLedger::used_bytes();
  facts.ring_charged = RingsAreCharged();
  facts.page_bytes = PageBytes();
  const TransparentHugePages transparent = ReadTransparentHugePages();
  facts.transparent_huge_page_bytes = transparent.page_bytes;
  facts.transparent_huge_pages = static_cast<mooring_transparent_huge_pages_t>(transparent.mode);
  if (const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool()) {
    facts.hugetlb_page_bytes = pool->page_bytes;
    facts.hugetlb_pages_total = pool->total;
    facts.hugetlb_pages_free = pool->Available();
  }
  facts.numa_node_count = NodeCount();
  facts.cpu_count = UsableCpuCount();
}

}  // namespace
}  // namespace mooring::c_api

using namespace mooring;         // NOLINT: the C functions below
using namespace mooring::c_api;  // NOLINT: are in no namespace

extern "C" {

mooring_error_t* mooring_facts_get(mooring_facts_t* out_facts) noexcept {
  mooring_facts_t facts = {};
  const EngineInfo engine = ProbeEngine();
  facts.engine = static_cast<mooring_engine_t>(engine.kind);
  facts.engine_reason = static_cast<mooring_engine_reason_t>(engine.reason);
  facts.engine_system_error = engine.system_error;
  facts.features = engine.features;
  CopyText(engine.message, facts.engine_message);
  CopyText(engine.remedy, facts.engine_remedy);
  FillMemory(facts);
  CopyText(KernelRelease(), facts.kernel_release);
  return ToError(WriteInfo(facts, out_facts, "mooring_facts_t"));
}

}  // extern "C"
