// Backlog: completions that were taken from the engine before the caller asked for them. What they
// hand over is kept from being lost: a lease by its registration, a descriptor until somebody gets
// it.
//
// Threading: the completion side's. Push may allocate: it is for calls that bring in what a ring
// has on behalf of others, never for a caller who reaps.
#ifndef MOORING_CPP_RING_BACKLOG_H_
#define MOORING_CPP_RING_BACKLOG_H_

#include <cstdint>
#include <memory>

#include "cpp/ring/operation.h"

namespace mooring {

struct BacklogEntry {
  Completion completion;
  uint32_t index = 0;  // of the record that is given back with it, or Backlog::kNoRecord
  uint16_t opcode = 0;
  Registration* registration = nullptr;  // a reference, while the completion hands a lease over
};

class Backlog {
 public:
  static constexpr uint32_t kNoRecord = UINT32_MAX;

  explicit Backlog(uint32_t capacity) : capacity_(capacity), entries_(new BacklogEntry[capacity]) {}
  // Nobody will ask for what is left: leases go back to their slabs, and descriptors are closed.
  ~Backlog();

  bool empty() const { return count_ == 0; }
  uint32_t count() const { return count_; }
  // Takes over the reference.
  void Push(const BacklogEntry& pending);
  // The oldest; its reference is dropped. Not when empty.
  BacklogEntry Pop();

 private:
  void Grow();

  uint32_t capacity_;
  std::unique_ptr<BacklogEntry[]> entries_;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_BACKLOG_H_
