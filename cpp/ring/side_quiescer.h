// SideQuiescer: makes a ring quiet (registration/ring_quiescer.h). A ring is quiet for a thread
// that has both of its sides, while every submitted operation has completed.
//
// Threading: any thread. A thread that has made the ring quiet may call TryQuiesce again before it
// calls Resume.
#ifndef MOORING_CPP_RING_SIDE_QUIESCER_H_
#define MOORING_CPP_RING_SIDE_QUIESCER_H_

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "cpp/registration/ring_quiescer.h"
#include "cpp/ring/side_lock.h"
#include "cpp/ring/submitter.h"

namespace mooring {

enum class Sides : uint8_t { kNone = 0, kSubmission = 1, kCompletion = 2, kBoth = 3 };

class SideQuiescer final : public RingQuiescer {
 public:
  // All outlive the quiescer, and may be constructed after it.
  SideQuiescer(const RingCore& core, SideLock& submission, SideLock& completion)
      : core_(core), submission_(submission), completion_(completion) {}

  // While one exists, TryQuiesce on its thread uses the sides that the thread has entered already.
  class EnteredSides {
   public:
    EnteredSides(SideQuiescer& quiescer, Sides sides);
    ~EnteredSides();
    EnteredSides(const EnteredSides&) = delete;
    EnteredSides& operator=(const EnteredSides&) = delete;

   private:
    SideQuiescer& quiescer_;
    const Sides sides_;
  };

  bool TryQuiesce() override;
  void Resume() override;
  void RequestQuiet() override;
  void InvalidateLostPins() override;

 private:
  bool IsIdle() const;
  void SetEntered(Sides sides, pthread_t thread);
  void LeaveTaken();
  void LeaveSubmission();

  const RingCore& core_;
  SideLock& submission_;
  SideLock& completion_;
  // Threads, 0 = none. A thread only compares them with its own id: no other thread stores that.
  std::atomic<pthread_t> holder_{0};              // for which the ring is quiet
  std::atomic<pthread_t> entered_submission_{0};  // of EnteredSides
  std::atomic<pthread_t> entered_completion_{0};  // of EnteredSides
  // Used by the holder alone.
  uint32_t depth_ = 0;
  bool took_submission_ = false;
  bool took_completion_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_SIDE_QUIESCER_H_
