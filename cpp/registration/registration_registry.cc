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

struct Registry {
  Mutex mutex;
  std::vector<Registration*> registrations GUARDED_BY(mutex);
  // The ledger's count of returns for which no further try is needed.
  uint64_t returns_seen GUARDED_BY(mutex) = 0;
};

constinit PerProcess<Registry> registries;

// References to those that match. The caller uses and drops them without the lock. A registration
// without a reference is about to leave the list: its destructor waits for the lock.
template <typename Matches>
std::vector<RefPtr<Registration>> References(const Registry& registry, Matches matches)
    REQUIRES(registry.mutex) {
  std::vector<RefPtr<Registration>> found;
  for (Registration* registration : registry.registrations) {
    if (!matches(*registration)) continue;
    if (registration->TryAddRef()) found.push_back(RefPtr<Registration>::Adopt(registration));
  }
  return found;
}

}  // namespace

void RegistrationRegistry::Add(Registration* registration) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  registry.registrations.push_back(registration);
}

void RegistrationRegistry::Remove(Registration* registration) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  std::erase(registry.registrations, registration);
}

void RegistrationRegistry::PromoteWaiting() {
  Registry& registry = registries.Get();
  std::vector<RefPtr<Registration>> found;
  {
    MutexLock lock(registry.mutex);
    const uint64_t returns = MemlockLedger::return_count();
    if (returns == registry.returns_seen) return;
    if (!MemlockLedger::ReturnIsPending()) registry.returns_seen = returns;
    found = References(registry, [](const Registration& one) { return one.wants_retry(); });
  }
  for (const RefPtr<Registration>& registration : found) registration->PromoteRetryable();
}

void RegistrationRegistry::PromoteForOwner(const BufferTable& table) {
  Registry& registry = registries.Get();
  std::vector<RefPtr<Registration>> found;
  {
    MutexLock lock(registry.mutex);
    found = References(registry, [&](const Registration& one) {
      return one.wants_retry() && &one.table() == &table;
    });
  }
  for (const RefPtr<Registration>& registration : found) registration->PromoteRetryable();
}

std::vector<RefPtr<Registration>> RegistrationRegistry::Of(const Slab& slab) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  return References(registry, [&](const Registration& one) { return &one.slab() == &slab; });
}

// Under the lock, so that a registration without a reference is not destroyed during the call.
void RegistrationRegistry::InvalidateLostPins(const BufferTable& table) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  for (Registration* registration : registry.registrations) {
    if (&registration->table() == &table) registration->InvalidateLostPins();
  }
}

}  // namespace mooring
