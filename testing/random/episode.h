// episode.h: creates slabs, rings and helper threads, and checks that nothing leaks at the end.
//
// Each worker runs one ring after another over the same slabs, so rings share pins. The helpers run
// errands, promote registrations, and keep canaries. When all have ended, nothing may remain.
//
// Threading: one thread, which waits for those that the episode starts.
#ifndef MOORING_TESTING_RANDOM_EPISODE_H_
#define MOORING_TESTING_RANDOM_EPISODE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>

#include "testing/random/canary.h"
#include "testing/random/decisions.h"
#include "testing/random/episode_state.h"

namespace mooring::workload {

// Time limit for the kernel to release memory at the end, also on a busy host.
inline constexpr std::chrono::seconds kEndPatience{90};

class Episode {
 public:
  // `graves` holds the memory of earlier slabs, which this episode also checks, and adds to.
  Episode(const Surroundings& surroundings, uint64_t number, std::deque<MemoryCanary>& graves);

  void Run();

 private:
  void Work(uint32_t worker);
  void Help(uint32_t helper);
  void DiscardSent();
  void EndSlabs();
  void EndAdopted(Arena& arena);
  void EndCreated(Arena& arena);

  EpisodeState state_;
  Decisions decisions_;
  std::deque<MemoryCanary>& graves_;
  std::atomic<bool> work_is_done_ = false;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_EPISODE_H_
