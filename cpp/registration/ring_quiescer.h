// RingQuiescer: makes a ring quiet for one thread: no operation is in flight, and no other thread
// is in a call that could start one. Some tables can be changed only then (KernelTable::TryBegin).
// The ring implements it, because it knows its operations.
//
// Threading: any thread. No function waits.
//
//   if (!quiescer.TryQuiesce()) return EBUSY;
//   ...
//   quiescer.Resume();
#ifndef MOORING_CPP_REGISTRATION_RING_QUIESCER_H_
#define MOORING_CPP_REGISTRATION_RING_QUIESCER_H_

namespace mooring {

class RingQuiescer {
 public:
  // True: the ring is quiet, and stays quiet until this thread has called Resume as often. False:
  // it is not quiet now.
  virtual bool TryQuiesce() = 0;
  virtual void Resume() = 0;
  // There is work for the next time that the ring is quiet. If only a thread that waits in a reap,
  // with nothing in flight, is in the way, it is woken, so that its call does the work.
  virtual void RequestQuiet() = 0;
  // While the ring is quiet: the table has lost pins. No operation may name their slots any more.
  virtual void InvalidateLostPins() = 0;

 protected:
  ~RingQuiescer() = default;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_RING_QUIESCER_H_
