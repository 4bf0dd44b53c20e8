#include "cpp/engine/threads/drain_gate.h"

namespace mooring {

bool DrainGate::Accept(uint32_t length, bool drain) {
  accepted_count_ += length;
  if (drain || held_count_.load(std::memory_order_seq_cst) > 0) return false;
  // This load follows the load of held_count_, and Release stores drain_end_ before held_count_
  // becomes 0. So the end of the drain that was released last is known here.
  const uint64_t drained = drain_end_.load(std::memory_order_seq_cst);
  if (drained == passed_drain_end_) return true;
  if (CompletedCount() < drained) return false;
  passed_drain_end_ = drained;
  return true;
}

void DrainGate::Hold(Task* head, uint32_t length, bool drain) {
  head->drain = drain;
  head->accepted_before = accepted_count_ - length;
  head->chain_length = length;
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
  if (completed < drain_end_.load(std::memory_order_relaxed)) return nullptr;
  if (head->drain) {
    if (completed < head->accepted_before) return nullptr;
    drain_end_.store(head->accepted_before + head->chain_length, std::memory_order_seq_cst);
  }
  held_.Remove(head);
  held_count_.fetch_sub(1, std::memory_order_seq_cst);
  return head;
}

uint64_t DrainGate::CompletedCount() const {
  const uint64_t published = events_.published();
  // unordered_ is raised before a publication and read after published_: the result may be too
  // small, but never too large.
  const uint64_t unordered = unordered_.load(std::memory_order_seq_cst);
  return published > unordered ? published - unordered : 0;
}

}  // namespace mooring
