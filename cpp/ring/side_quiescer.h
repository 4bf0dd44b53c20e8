// SideQuiescer: the quiet moments of a ring (registration/ring_quiescer.h): both of its sides are
// visited, and everything that was submitted is settled.
//
// Threading: any thread. A thread that has made the ring quiet may do so again, within.
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
  // All outlive the quiescer, and may be made after it.
  SideQuiescer(const RingCore& core, SideLock& submission, SideLock& completion)
      : core_(core), submission_(submission), completion_(completion) {}

  bool TryQuiesce() override { return TryQuiesceFrom(Sides::kNone); }
  // For a thread that is inside `held` already.
  bool TryQuiesceFrom(Sides held);
  void Resume() override;
  void Hurry() override;
  void OnPinsLost() override;

 private:
  bool IsIdle() const;
  void LeaveTaken();
  void LeaveSubmission();

  const RingCore& core_;
  SideLock& submission_;
  SideLock& completion_;
  std::atomic<pthread_t> holder_{
      0};  // that of the thread for which it is quiet; read by others only to differ
  // The holder's.
  uint32_t depth_ = 0;
  bool took_submission_ = false;
  bool took_completion_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_SIDE_QUIESCER_H_
