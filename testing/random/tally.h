// tally.h: what a run has done, for its last lines.
//
// Threading: any.
#ifndef MOORING_TESTING_RANDOM_TALLY_H_
#define MOORING_TESTING_RANDOM_TALLY_H_

#include <errno.h>
#include <mooring/mooring.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>

namespace mooring::workload {

enum class Step : uint32_t {
  kEpisode,
  kRingOfIoUring,
  kRingOfThreads,
  kRingOwned,
  kRingPolled,
  kRingDrained,
  kRingClosed,
  kRingDestroyedInFlight,
  kRegistrationFixed,
  kRegistrationPartial,
  kRegistrationCopy,
  kRegistrationCloned,
  kRegistrationReplaced,
  kPromotion,
  kCancellation,
  kStaleLeaseRefused,
  kLeaseReleased,
  kLeaseReleasedEarly,
  kCanary,
  kSlabAdopted,
  kSlabCreated,
  kSlabGrown,
  kGrowthRefused,
  kRefusedForMemlock,
  kCount,
};

class Tally {
 public:
  void Add(Step step) { steps_[static_cast<size_t>(step)].fetch_add(1, std::memory_order_relaxed); }

  // A completed operation.
  void Add(mooring_opcode_t opcode, mooring_path_t path, int64_t result) {
    const size_t kind = result == -ECANCELED ? kPaths : path;
    operations_[opcode][kind].fetch_add(1, std::memory_order_relaxed);
  }

  uint64_t operations() const;
  void Print(std::FILE* out) const;

 private:
  static constexpr size_t kOpcodes = MOORING_OPCODE_RECV_MULTISHOT + 1;
  static constexpr size_t kPaths = MOORING_PATH_COPY + 1;

  std::array<std::atomic<uint64_t>, static_cast<size_t>(Step::kCount)> steps_ = {};
  // By path; those that were cancelled come last.
  std::array<std::array<std::atomic<uint64_t>, kPaths + 1>, kOpcodes> operations_ = {};
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_TALLY_H_
