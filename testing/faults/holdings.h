// holdings.h: the resources of this process; they must be the same before and after a scenario.
//
// Threading: from the sweep's thread, with no call of Mooring running.
#ifndef MOORING_TESTING_FAULTS_HOLDINGS_H_
#define MOORING_TESTING_FAULTS_HOLDINGS_H_

#include <cstdint>
#include <string>

namespace mooring::faults {

struct Holdings {
  uint64_t descriptors = 0;
  uint64_t ring_mappings = 0;  // memory of io_uring itself
  int64_t mapped_bytes = 0;
  int64_t threads = 0;
  uint64_t ledger_bytes = 0;
  uint64_t lingering_rings = 0;  // destroyed, with operations still in flight

  bool operator==(const Holdings&) const = default;
  std::string ToString() const;
};

Holdings ReadHoldings();
// ReadHoldings, after the operations of all destroyed rings have completed.
Holdings ReadHoldingsAtRest();

// Waits until this process holds `before` again: later calls of Mooring release resources of
// operations that completed after the destroy call. Returns "" or the difference.
std::string WaitForHoldings(const Holdings& before);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_HOLDINGS_H_
