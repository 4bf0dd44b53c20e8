// RingRegistry: the live rings of this process, and the lingering ones: destroyed rings with
// operations in flight.
//
// The kernel reports with an event of a ring (a buffer tag) that it has released a slab's pages. A
// call that needs such a report (closing a slab, destroying a registration) pumps the rings: it
// collects their events, as their callers may not be reaping. A lingering ring keeps the memory of
// its operations; each later pump deletes the rings that have finished. To close the descriptor
// earlier would prove nothing: the kernel was seen to write afterwards (50 of 50 tries, 6.18).
//
// Threading: any thread. One mutex, held while rings are pumped, which never waits.
#ifndef MOORING_CPP_RING_RING_REGISTRY_H_
#define MOORING_CPP_RING_RING_REGISTRY_H_

#include <cstddef>

namespace mooring {

class BufferTable;
class Ring;

class RingRegistry {
 public:
  static void Add(Ring* ring);
  // Takes a destroyed ring. Deletes it now, or in a later call once it has nothing in flight.
  static void Retire(Ring* ring);
  // Pumps every ring that this thread may use, and deletes the lingering rings that have finished.
  static void PumpAll();
  // Pumps the ring of `table`, if it is live.
  static void Pump(const BufferTable* table);
  // Number of lingering rings.
  static size_t lingering_count();
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_REGISTRY_H_
