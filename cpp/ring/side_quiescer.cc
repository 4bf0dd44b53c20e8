#include "cpp/ring/side_quiescer.h"

#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

bool Includes(Sides sides, Sides side) {
  return (static_cast<uint32_t>(sides) & static_cast<uint32_t>(side)) != 0;
}

}  // namespace

SideQuiescer::EnteredSides::EnteredSides(SideQuiescer& quiescer, Sides sides)
    : quiescer_(quiescer), sides_(sides) {
  quiescer_.SetEntered(sides_, pthread_self());
}

SideQuiescer::EnteredSides::~EnteredSides() { quiescer_.SetEntered(sides_, 0); }

void SideQuiescer::SetEntered(Sides sides, pthread_t thread) {
  if (Includes(sides, Sides::kSubmission))
    entered_submission_.store(thread, std::memory_order_relaxed);
  if (Includes(sides, Sides::kCompletion))
    entered_completion_.store(thread, std::memory_order_relaxed);
}

bool SideQuiescer::TryQuiesce() {
  const pthread_t self = pthread_self();
  if (holder_.load(std::memory_order_relaxed) == self) {
    ++depth_;
    return true;
  }
  if (!IsIdle()) return false;
  const bool take_submission = entered_submission_.load(std::memory_order_relaxed) != self;
  const bool take_completion = entered_completion_.load(std::memory_order_relaxed) != self;
  if (take_submission && !submission_.TryEnterInternally()) return false;
  if (take_completion && !completion_.TryEnterInternally()) {
    if (take_submission) LeaveSubmission();
    return false;
  }
  took_submission_ = take_submission;
  took_completion_ = take_completion;
  // Again, because now no other thread can submit.
  if (!IsIdle()) {
    LeaveTaken();
    return false;
  }
  holder_.store(self, std::memory_order_relaxed);
  depth_ = 1;
  return true;
}

void SideQuiescer::Resume() {
  if (--depth_ > 0) return;
  holder_.store(0, std::memory_order_relaxed);
  LeaveTaken();
}

void SideQuiescer::LeaveTaken() {
  // A thread that enters the last side left here may write the members.
  const bool completion = took_completion_;
  if (took_submission_) LeaveSubmission();
  if (completion) completion_.Leave();
}

// A thread in a reap that needed the submission side may have found it taken. Wake makes it try
// again.
void SideQuiescer::LeaveSubmission() {
  submission_.LeaveSeqCst();
  if (core_.multishots->resume_requested()) core_.engine->Wake();
}

void SideQuiescer::RequestQuiet() {
  if (IsIdle()) core_.engine->Wake();
}

void SideQuiescer::InvalidateLostPins() { RegistrationRegistry::InvalidateLostPins(*core_.table); }

// Cancellations are separate requests. Operations that are staged and not submitted exist only
// while a thread is in the submission side.
bool SideQuiescer::IsIdle() const {
  return core_.counters.submitted.value() == core_.counters.finished.value() &&
         core_.cancels.load(std::memory_order_acquire) == 0;
}

}  // namespace mooring
