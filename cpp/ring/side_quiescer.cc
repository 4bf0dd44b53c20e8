#include "cpp/ring/side_quiescer.h"

#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

bool Includes(Sides sides, Sides side) {
  return (static_cast<uint32_t>(sides) & static_cast<uint32_t>(side)) != 0;
}

}  // namespace

bool SideQuiescer::TryQuiesceFrom(Sides held) {
  if (holder_.load(std::memory_order_relaxed) == pthread_self()) {
    ++depth_;
    return true;
  }
  if (!IsIdle()) return false;
  const bool take_submission = !Includes(held, Sides::kSubmission);
  const bool take_completion = !Includes(held, Sides::kCompletion);
  if (take_submission && !submission_.TryEnterInternally()) return false;
  if (take_completion && !completion_.TryEnterInternally()) {
    if (take_submission) LeaveSubmission();
    return false;
  }
  took_submission_ = take_submission;
  took_completion_ = take_completion;
  // Again, now that nobody can submit.
  if (!IsIdle()) {
    LeaveTaken();
    return false;
  }
  holder_.store(pthread_self(), std::memory_order_relaxed);
  depth_ = 1;
  return true;
}

void SideQuiescer::Resume() {
  if (--depth_ > 0) return;
  holder_.store(0, std::memory_order_relaxed);
  LeaveTaken();
}

void SideQuiescer::LeaveTaken() {
  // Whoever enters the last side left may write these anew.
  const bool completion = took_completion_;
  if (took_submission_) LeaveSubmission();
  if (completion) completion_.Leave();
}

// A reaper who has something for that side may have found it taken just now; he looks again.
void SideQuiescer::LeaveSubmission() {
  submission_.LeaveSeqCst();
  if (core_.multishots->resume_requested()) core_.engine->Wake();
}

void SideQuiescer::Hurry() {
  if (IsIdle()) core_.engine->Wake();
}

void SideQuiescer::OnPinsLost() { RegistrationRegistry::DropLost(*core_.table); }

// Cancellations are requests of their own. What is staged and not handed over is inside the
// submission side.
bool SideQuiescer::IsIdle() const {
  return core_.counters.submitted.value() == core_.counters.finished.value() &&
         core_.cancels.load(std::memory_order_acquire) == 0;
}

}  // namespace mooring
