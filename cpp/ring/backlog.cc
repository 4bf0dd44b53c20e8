#include "cpp/ring/backlog.h"

#include <unistd.h>

#include <utility>

#include "cpp/registration/registration.h"

namespace mooring {
namespace {

bool MakesDescriptor(uint16_t opcode) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kOpenat:
    case Opcode::kAccept:
    case Opcode::kAcceptMultishot:
      return true;
    default:
      return false;
  }
}

}  // namespace

Backlog::~Backlog() {
  while (!empty()) {
    const BacklogEntry& pending = entries_[first_];
    const Completion& completion = pending.completion;
    if (completion.lease_generation != 0) {
      (void)pending.registration->slab().Release({.first_index = completion.lease_first_index,
                                                  .buffer_count = 1,
                                                  .generation = completion.lease_generation});
    }
    if (MakesDescriptor(pending.opcode) && completion.result >= 0)
      close(static_cast<int>(completion.result));
    (void)Pop();
  }
}

void Backlog::Push(const BacklogEntry& pending) {
  if (count_ == capacity_) Grow();
  entries_[(first_ + count_++) % capacity_] = pending;
}

BacklogEntry Backlog::Pop() {
  BacklogEntry pending = entries_[first_];
  first_ = (first_ + 1) % capacity_;
  --count_;
  if (pending.registration != nullptr) std::exchange(pending.registration, nullptr)->DropRef();
  return pending;
}

// A multishot operation has any number of completions, so there can be more of them than records.
void Backlog::Grow() {
  std::unique_ptr<BacklogEntry[]> more(new BacklogEntry[capacity_ * 2]);
  for (uint32_t i = 0; i < count_; ++i) more[i] = entries_[(first_ + i) % capacity_];
  entries_ = std::move(more);
  capacity_ *= 2;
  first_ = 0;
}

}  // namespace mooring
