#include "cpp/operations/ring_registry.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "cpp/base/thread_annotations.h"
#include "cpp/operations/operation_ring.h"
#include "cpp/os/process.h"

namespace mooring {
namespace {

// One per process. A forked child gets a new one: the parent's rings are not its own, and another thread of the parent
// may have held the mutex at the fork. Never freed, so that it outlives every ring.
struct Registry {
  const ProcessToken process = CurrentProcess();
  Mutex mutex;
  std::vector<OperationRing*> live GUARDED_BY(mutex);
  std::vector<OperationRing*> lingering GUARDED_BY(mutex);
};

constinit std::atomic<Registry*> current{nullptr};

Registry& Get() {
  Registry* registry = current.load(std::memory_order_acquire);
  while (registry == nullptr || registry->process != CurrentProcess()) {
    Registry* fresh = new Registry;
    if (current.compare_exchange_strong(registry, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *registry;
}

// Takes the lingering rings that have finished, for the caller to delete after the lock.
std::vector<OperationRing*> TakeFinished(Registry& registry) REQUIRES(registry.mutex) {
  std::vector<OperationRing*> finished;
  for (OperationRing* ring : registry.lingering) {
    ring->Pump();
    if (ring->Finished()) finished.push_back(ring);
  }
  std::erase_if(registry.lingering, [](OperationRing* ring) { return ring->Finished(); });
  return finished;
}

}  // namespace

void RingRegistry::Add(OperationRing* ring) {
  Registry& registry = Get();
  MutexLock lock(registry.mutex);
  registry.live.push_back(ring);
}

void RingRegistry::Retire(OperationRing* ring) {
  Registry& registry = Get();
  std::vector<OperationRing*> finished;
  {
    MutexLock lock(registry.mutex);
    std::erase(registry.live, ring);
    registry.lingering.push_back(ring);
    finished = TakeFinished(registry);
  }
  for (OperationRing* done : finished) delete done;
}

void RingRegistry::PumpAll() {
  Registry& registry = Get();
  std::vector<OperationRing*> finished;
  {
    MutexLock lock(registry.mutex);
    for (OperationRing* ring : registry.live) ring->Pump();
    finished = TakeFinished(registry);
  }
  for (OperationRing* done : finished) delete done;
}

void RingRegistry::Pump(const BufferTable* table) {
  Registry& registry = Get();
  MutexLock lock(registry.mutex);
  for (OperationRing* ring : registry.live) {
    if (ring->table() == table) ring->Pump();
  }
}

size_t RingRegistry::lingering_count() {
  Registry& registry = Get();
  MutexLock lock(registry.mutex);
  return registry.lingering.size();
}

}  // namespace mooring
