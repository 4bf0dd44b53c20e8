// episode_state.h: the state that the threads of one episode share.
//
// Threading: any; members without a lock are set before the threads start.
#ifndef MOORING_TESTING_RANDOM_EPISODE_STATE_H_
#define MOORING_TESTING_RANDOM_EPISODE_STATE_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "testing/random/arena.h"
#include "testing/random/channel.h"
#include "testing/random/registrations.h"
#include "testing/random/tally.h"
#include "testing/support/files.h"

namespace mooring::workload {

// Properties of the machine, and the file that all rings read: constant during the run.
struct Surroundings {
  uint64_t seed = 0;
  bool has_io_uring = false;
  bool is_memlock_limited = false;
  int pattern_fd = -1;
  Tally* tally = nullptr;
};

// Work for any thread: destroying rings and registrations, releasing leases.
class Errands {
 public:
  void Push(std::function<void()> errand) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(errand));
  }

  // False if there is none.
  bool RunOne() {
    std::function<void()> errand;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return false;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
    }
    errand();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> waiting_;
};

// Resources that operations of destroyed rings may still use: kept until these have completed.
struct Leftovers {
  std::mutex mutex;
  std::vector<conformance::Fd> descriptors;
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<std::pair<Arena*, SharedLease>> leases;
};

struct EpisodeState {
  explicit EpisodeState(const Surroundings& around) : surroundings(around) {}

  Tally& tally() { return *surroundings.tally; }

  const Surroundings& surroundings;
  uint64_t number = 0;
  std::vector<std::unique_ptr<Arena>> arenas;
  Registrations registrations;
  Leftovers leftovers;
  Errands errands;  // declared after everything that they may use
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_EPISODE_STATE_H_
