// Backlog: completions that were taken from the engine before the caller asked for them. It owns
// the lease or the descriptor that a completion transfers to the caller, until the caller takes it.
//
// Threading: called on the completion side. Push may allocate, so only calls that collect events
// for another purpose use it (close, destroy, RingRegistry), never a reap.
#ifndef MOORING_CPP_RING_BACKLOG_H_
#define MOORING_CPP_RING_BACKLOG_H_

#include <cstdint>
#include <memory>

#include "cpp/ring/operation.h"

namespace mooring {

struct BacklogEntry {
  Completion completion;
  uint32_t index = 0;  // of the record that is returned with it, or Backlog::kNoRecord
  uint16_t opcode = 0;
  Registration* registration = nullptr;  // a reference, if the completion has a lease
};

class Backlog {
 public:
  static constexpr uint32_t kNoRecord = UINT32_MAX;

  explicit Backlog(uint32_t capacity) : capacity_(capacity), entries_(new BacklogEntry[capacity]) {}
  // Releases the leases and closes the descriptors of the completions that are left.
  ~Backlog();

  bool empty() const { return count_ == 0; }
  uint32_t count() const { return count_; }
  // Takes the reference.
  void Push(const BacklogEntry& pending);
  // Removes the oldest entry and drops its reference. The backlog must not be empty.
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
