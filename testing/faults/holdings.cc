#include "testing/faults/holdings.h"

#include "cpp/os/memlock_ledger.h"
#include "cpp/ring/ring_registry.h"
#include "testing/faults/balance.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring::faults {

std::string Holdings::ToString() const {
  return std::to_string(descriptors) + " descriptors, " + std::to_string(ring_mappings) +
         " ring mappings, " + std::to_string(mapped_bytes) + " bytes of memory, " +
         std::to_string(threads) + " threads, " + std::to_string(ledger_bytes) +
         " bytes in the ledger, " + std::to_string(lingering_rings) + " lingering rings";
}

Holdings ReadHoldings() {
  const Balance balance = ReadBalance();
  return {.descriptors = conformance::OpenFdCount(),
          .ring_mappings = conformance::MappingCount("[io_uring]"),
          .mapped_bytes = balance.mapped_bytes,
          .threads = balance.thread_count,
          .ledger_bytes = MemlockLedger::used_bytes(),
          .lingering_rings = RingRegistry::lingering_count()};
}

Holdings ReadHoldingsAtRest() {
  UnmapRefused();
  (void)conformance::Eventually([] {
    RingRegistry::PumpAll();
    return RingRegistry::lingering_count() == 0;
  });
  return ReadHoldings();
}

std::string WaitForHoldings(const Holdings& before) {
  UnmapRefused();
  Holdings now;
  const bool same = conformance::Eventually([&] {
    now = ReadHoldings();
    if (now == before) return true;
    RingRegistry::PumpAll();
    return false;
  });
  return same ? "" : "leaked: held " + before.ToString() + "; holds " + now.ToString();
}

}  // namespace mooring::faults
