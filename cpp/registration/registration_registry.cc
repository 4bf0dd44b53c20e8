#include "cpp/registration/registration_registry.h"

#include <cstdint>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/os/per_process.h"
#include "cpp/registration/registration.h"

namespace mooring {
namespace {

struct Waiting {
  Mutex mutex;
  std::vector<Registration*> registrations GUARDED_BY(mutex);
  uint64_t returns_seen GUARDED_BY(mutex) =
      0;  // as the ledger counts them; no wake can win more from these
};

constinit PerProcess<Waiting> lists;

// References to those that match, for the caller to use and drop without the lock. One whose last
// reference has gone is on its way out of the list: its destructor waits for the lock.
template <typename Matches>
std::vector<RefPtr<Registration>> Hold(const Waiting& waiting, Matches matches)
    REQUIRES(waiting.mutex) {
  std::vector<RefPtr<Registration>> held;
  for (Registration* registration : waiting.registrations) {
    if (!matches(*registration)) continue;
    if (registration->TryAddRef()) held.push_back(RefPtr<Registration>::Adopt(registration));
  }
  return held;
}

}  // namespace

void RegistrationRegistry::Add(Registration* registration) {
  Waiting& waiting = lists.Get();
  MutexLock lock(waiting.mutex);
  waiting.registrations.push_back(registration);
}

void RegistrationRegistry::Remove(Registration* registration) {
  Waiting& waiting = lists.Get();
  MutexLock lock(waiting.mutex);
  std::erase(waiting.registrations, registration);
}

void RegistrationRegistry::PromoteWaiting() {
  Waiting& waiting = lists.Get();
  std::vector<RefPtr<Registration>> held;
  {
    MutexLock lock(waiting.mutex);
    const uint64_t returns = MemlockLedger::return_count();
    if (returns == waiting.returns_seen) return;
    if (!MemlockLedger::ReturnIsPending()) waiting.returns_seen = returns;
    held = Hold(waiting, [](const Registration& one) { return one.waits(); });
  }
  for (const RefPtr<Registration>& registration : held) registration->Wake();
}

void RegistrationRegistry::PromoteForOwner(const BufferTable& table) {
  Waiting& waiting = lists.Get();
  std::vector<RefPtr<Registration>> held;
  {
    MutexLock lock(waiting.mutex);
    held = Hold(waiting,
                [&](const Registration& one) { return one.waits() && &one.table() == &table; });
  }
  for (const RefPtr<Registration>& registration : held) registration->Wake();
}

std::vector<RefPtr<Registration>> RegistrationRegistry::Of(const Slab& slab) {
  Waiting& waiting = lists.Get();
  MutexLock lock(waiting.mutex);
  return Hold(waiting, [&](const Registration& one) { return &one.slab() == &slab; });
}

// Under the lock: one whose last reference has gone stays until it has left the list.
void RegistrationRegistry::DropLost(const BufferTable& table) {
  Waiting& waiting = lists.Get();
  MutexLock lock(waiting.mutex);
  for (Registration* registration : waiting.registrations) {
    if (&registration->table() == &table) registration->DropLost();
  }
}

}  // namespace mooring
