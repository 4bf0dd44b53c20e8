#include "cpp/engine/threads/task_pool.h"

#include <new>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"

namespace mooring {

Status WorkPool::Create(uint32_t count) {
  CHECK(count > 0 && works_ == nullptr);
  count_ = count;
  const uint32_t capacity = RoundUpToPowerOfTwo(count);
  mask_ = capacity - 1;
  works_.reset(new (std::nothrow) Work[count]);
  free_.reset(new (std::nothrow) uint32_t[count]);
  given_.reset(new (std::nothrow) uint32_t[capacity]);
  hints_.reset(new (std::nothrow) std::atomic<uint32_t>[capacity]);
  if (!works_ || !free_ || !given_ || !hints_) {
    return ErrnoStatus(ENOMEM, "memory for the operations of a threads engine",
                       "Ask for fewer operations in flight (in_flight_max).");
  }
  for (uint32_t i = 0; i < count; ++i) works_[i].index = i;
  for (uint32_t i = 0; i < capacity; ++i) hints_[i].store(kNone, std::memory_order_relaxed);
  return OkStatus();
}

void WorkPool::Reclaim() {
  const uint32_t tail = published_tail_.load(std::memory_order_acquire);
  while (given_head_ != tail) free_[free_count_++] = given_[given_head_++ & mask_];
}

Work* WorkPool::Take(const Request& request, WorkState state) {
  uint32_t index = 0;
  if (free_count_ > 0) {
    index = free_[--free_count_];
  } else {
    index = used_count_.load(std::memory_order_relaxed);
    CHECK(index < count_);  // more in flight than in_flight_max
    used_count_.store(index + 1, std::memory_order_release);
  }
  Work& work = works_[index];
  const uint32_t last_use = work.word.load(std::memory_order_relaxed);
  DCHECK(Work::StateOf(last_use) == WorkState::kFree);
  work.token.store(request.token, std::memory_order_relaxed);
  work.request = request;
  work.fd = request.fd;
  work.attempt = Attempt::kFirst;
  work.moved_bytes = 0;
  work.drain = false;
  work.fruitless_count = 0;
  work.chain_next = nullptr;
  Remember(work);
  // Release pairs with the acquire in VisitIfMatching: who sees the new use sees the new token.
  work.word.store(Work::WithState(last_use + (1u << Work::kStateBits), state),
                  std::memory_order_release);
  return &work;
}

void WorkPool::Remember(const Work& work) {
  std::atomic<uint32_t>& hint = hints_[work.request.token & mask_];
  const uint32_t before = hint.load(std::memory_order_relaxed);
  if (before != kNone && before != work.index && works_[before].state() != WorkState::kFree) {
    hints_collided_.store(true, std::memory_order_relaxed);
  }
  hint.store(work.index, std::memory_order_relaxed);
}

}  // namespace mooring
