#include "cpp/engine/threads/drain_gate.h"

namespace mooring {

bool DrainGate::Accept(uint32_t length, bool drain) {
  accepted_count_ += length;
  if (drain || held_count_.load(std::memory_order_seq_cst) > 0) return false;
  // Read after held_count_, and stored before that became 0: so what was released last is known
  // here.
  const uint64_t drained = drained_count_.load(std::memory_order_seq_cst);
  if (drained == drained_over_) return true;
  if (CompletedCount() < drained) return false;
  drained_over_ = drained;
  return true;
}

void DrainGate::Hold(Task* head, uint32_t length, bool drain) {
  head->drain = drain;
  head->order_sequence = accepted_count_ - length;
  head->order_length = length;
  const MutexLock lock(mutex_);
  held_.PushBack(head);
  held_count_.fetch_add(1, std::memory_order_seq_cst);
}

Task* DrainGate::Release() {
  if (held_count_.load(std::memory_order_seq_cst) == 0) return nullptr;
  const MutexLock lock(mutex_);
  Task* const head = held_.front();
  if (head == nullptr) return nullptr;
  const uint64_t completed = CompletedCount();
  if (completed < drained_count_.load(std::memory_order_relaxed)) return nullptr;
  if (head->drain) {
    if (completed < head->order_sequence) return nullptr;
    drained_count_.store(head->order_sequence + head->order_length, std::memory_order_seq_cst);
  }
  held_.Remove(head);
  held_count_.fetch_sub(1, std::memory_order_seq_cst);
  return head;
}

uint64_t DrainGate::CompletedCount() const {
  const uint64_t published = events_.published();
  // Counted before they are published, and read after: too many, never too few.
  const uint64_t outsiders = outsiders_.load(std::memory_order_seq_cst);
  return published > outsiders ? published - outsiders : 0;
}

}  // namespace mooring
