// registrations.h: registrations with several users: the submitter that names them, and threads
// that promote or read them. The last user destroys, on any thread.
//
// Threading: any.
#ifndef MOORING_TESTING_RANDOM_REGISTRATIONS_H_
#define MOORING_TESTING_RANDOM_REGISTRATIONS_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "testing/random/decisions.h"
#include "testing/support/handles.h"

namespace mooring::workload {

struct NamedSlab {
  conformance::Registration handle;
  uint64_t fixed_bytes = 0;  // from the start of the slab, in one extent that is pinned for good
  bool is_never = false;     // nothing is or will be pinned
};
using SharedRegistration = std::shared_ptr<NamedSlab>;

class Registrations {
 public:
  void Add(const SharedRegistration& registration) {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const auto& weak) { return weak.expired(); });
    all_.push_back(registration);
  }

  // One of those that live, or null.
  SharedRegistration Pick(Decisions& decisions) {
    const std::lock_guard lock(mutex_);
    return all_.empty() ? nullptr : all_[decisions.Below(all_.size())].lock();
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<NamedSlab>> all_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_REGISTRATIONS_H_
