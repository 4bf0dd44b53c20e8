// RingRegistry: the rings of this process, and those that were destroyed while the kernel was not
// done with them.
//
// The kernel says on a ring that it let go of a slab's pages. Whoever waits for that (closing a
// slab, destroying a registration) has the registry bring such news in from the rings concerned, as
// their callers may not be reaping. A destroyed ring that still has operations in flight lingers
// here with the memory they use; every later visit looks whether it can go. Closing its descriptor
// earlier would prove nothing: the kernel was seen to write afterwards (50 of 50 tries, 6.18).
//
// Threading: any thread; one mutex, held during visits, which never wait.
#ifndef MOORING_CPP_RING_RING_REGISTRY_H_
#define MOORING_CPP_RING_RING_REGISTRY_H_

#include <cstddef>

namespace mooring {

class BufferTable;
class Ring;

class RingRegistry {
 public:
  static void Add(Ring* ring);
  // The owner gave `ring` up: it is deleted now, or as soon as it has nothing in flight.
  static void Retire(Ring* ring);
  // Visits every ring that this thread may visit, and deletes lingering ones that have finished.
  static void PumpAll();
  // Visits the ring of `table`, if it is still there.
  static void Pump(const BufferTable* table);
  // Destroyed rings that the kernel is not done with.
  static size_t lingering_count();
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_REGISTRY_H_
