// RingQuiescer: gives a BufferTable moments in which its ring is quiet: nothing is in flight, and
// no thread is in a call that could change that. Only tables that are registered whole need them
// (whole_table.h); the ring, which knows its own operations, implements it.
//
// Threading: any thread. Never waits.
//
//   QuietGuard quiet(quiescer);
//   if (!quiet.is_quiet()) return EBUSY;
#ifndef MOORING_CPP_REGISTRATION_RING_QUIESCER_H_
#define MOORING_CPP_REGISTRATION_RING_QUIESCER_H_

namespace mooring {

class RingQuiescer {
 public:
  // True: the ring is quiet, and stays so until this thread has called Resume as often. False: it
  // is not, now.
  virtual bool TryQuiesce() = 0;
  virtual void Resume() = 0;
  // The table has work for the next quiet moment. Where that has come, and only a reaper who waits
  // for nothing is in the way, he is made to look.
  virtual void Hurry() = 0;
  // While quiet: the table holds nothing any more, and what was registered must not be named again.
  virtual void OnPinsLost() = 0;

 protected:
  ~RingQuiescer() = default;
};

// Asks for quiet, and ends it with its scope. Without a quiescer it is quiet at all times.
class QuietGuard {
 public:
  explicit QuietGuard(RingQuiescer* quiescer)
      : quiescer_(quiescer), is_quiet_(quiescer == nullptr || quiescer->TryQuiesce()) {}
  ~QuietGuard() {
    if (quiescer_ != nullptr && is_quiet_) quiescer_->Resume();
  }
  QuietGuard(const QuietGuard&) = delete;
  QuietGuard& operator=(const QuietGuard&) = delete;

  bool is_quiet() const { return is_quiet_; }

 private:
  RingQuiescer* const quiescer_;
  const bool is_quiet_;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_RING_QUIESCER_H_
