// holdings.h: what this process holds, to be the same before a scenario and after it.
//
// Threading: from the sweep's thread, with no call of Mooring running.
#ifndef MOORING_TESTING_FAULTS_HOLDINGS_H_
#define MOORING_TESTING_FAULTS_HOLDINGS_H_

#include <cstdint>
#include <string>

namespace mooring::faults {

struct Holdings {
  uint64_t descriptors = 0;
  uint64_t ring_mappings = 0;  // of io_uring's own memory
  int64_t mapped_bytes = 0;
  int64_t threads = 0;
  uint64_t ledger_bytes = 0;
  uint64_t rings_left = 0;  // destroyed, and waiting for what is in flight

  bool operator==(const Holdings&) const = default;
  std::string ToString() const;
};

Holdings ReadHoldings();
// As ReadHoldings, once no ring waits any more for what was in flight.
Holdings ReadHoldingsAtRest();

// Waits until this process holds `before` again, as later calls of Mooring bring in what ended
// after the destroying one. "" or what is left.
std::string WaitForHoldings(const Holdings& before);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_HOLDINGS_H_
