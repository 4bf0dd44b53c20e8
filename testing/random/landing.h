// landing.h: the completion side of a ring: each completion is looked up among the flights, its
// result and its bytes are checked, and it is counted as the ring itself should have counted it.
//
// Threading: the thread that reaps; the counts by any thread after it has ended.
#ifndef MOORING_TESTING_RANDOM_LANDING_H_
#define MOORING_TESTING_RANDOM_LANDING_H_

#include <mooring/mooring.h>

#include <atomic>
#include <cstdint>
#include <functional>

#include "testing/random/flights.h"
#include "testing/random/tally.h"

namespace mooring::workload {

// The pattern of the file that all rings read.
inline constexpr uint64_t kPatternSeed = 42;
inline constexpr uint64_t kPatternFileBytes = 1 << 20;

class Landing {
 public:
  // `released` is called with a lease that no operation uses any more.
  Landing(Flights& flights, Tally& tally, std::function<void(Arena&, const SharedLease&)> released)
      : flights_(flights), tally_(tally), released_(std::move(released)) {}

  void Land(const mooring_completion_t& completion);

  // The ring's counters must match the completions seen here. Nothing is in flight.
  void CheckStats(const mooring_ring_stats_t& stats) const;

 private:
  static void CheckResult(const Flight& flight, int64_t result);
  static void CheckBytes(const Flight& flight, uint64_t moved);
  static void CheckFlags(const Flight& flight, const mooring_completion_t& completion);
  static void Settle(const Flight& flight, int64_t result);
  void Count(const Flight& flight, const mooring_completion_t& completion);
  // A completion with MORE of a multishot operation.
  void LandPart(const Flight& flight, const mooring_completion_t& completion);

  Flights& flights_;
  Tally& tally_;
  const std::function<void(Arena&, const SharedLease&)> released_;
  mooring_ring_stats_t counted_ = {};
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_LANDING_H_
