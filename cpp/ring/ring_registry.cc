#include "cpp/ring/ring_registry.h"

#include <algorithm>
#include <vector>

#include "cpp/base/thread_annotations.h"
#include "cpp/os/per_process.h"
#include "cpp/ring/ring.h"

namespace mooring {
namespace {

struct Registry {
  Mutex mutex;
  std::vector<Ring*> live GUARDED_BY(mutex);
  std::vector<Ring*> lingering GUARDED_BY(mutex);
};

constinit PerProcess<Registry> registries;

// Removes the lingering rings that have finished. The caller deletes them without the lock.
std::vector<Ring*> RemoveFinished(Registry& registry) REQUIRES(registry.mutex) {
  std::vector<Ring*> finished;
  for (Ring* ring : registry.lingering) {
    ring->Pump();
    if (ring->IsFinished()) finished.push_back(ring);
  }
  std::erase_if(registry.lingering, [](Ring* ring) { return ring->IsFinished(); });
  return finished;
}

}  // namespace

void RingRegistry::Add(Ring* ring) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  registry.live.push_back(ring);
}

void RingRegistry::Retire(Ring* ring) {
  Registry& registry = registries.Get();
  std::vector<Ring*> finished;
  {
    MutexLock lock(registry.mutex);
    std::erase(registry.live, ring);
    ring->is_destroyed_ = true;
    registry.lingering.push_back(ring);
    finished = RemoveFinished(registry);
  }
  for (Ring* done : finished) delete done;
}

void RingRegistry::PumpAll() {
  Registry& registry = registries.Get();
  std::vector<Ring*> finished;
  {
    MutexLock lock(registry.mutex);
    for (Ring* ring : registry.live) ring->Pump();
    finished = RemoveFinished(registry);
  }
  for (Ring* done : finished) delete done;
}

void RingRegistry::Pump(const BufferTable* table) {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  for (Ring* ring : registry.live) {
    if (ring->table() == table) ring->Pump();
  }
}

size_t RingRegistry::lingering_count() {
  Registry& registry = registries.Get();
  MutexLock lock(registry.mutex);
  return registry.lingering.size();
}

}  // namespace mooring
