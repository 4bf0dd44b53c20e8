// RecordPool: one record per operation in flight, in storage allocated once.
//
// Threading: the submission side takes records, the completion side returns them; the two may run
// at the same time on two threads. A record belongs to the submission side until its request is
// submitted to the engine, then to the completion side until PublishReturned. Free indices go
// through a single-producer, single-consumer queue; RingCore::requests_published orders the
// contents of records.
#ifndef MOORING_CPP_RING_RECORD_POOL_H_
#define MOORING_CPP_RING_RECORD_POOL_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"
#include "cpp/ring/operation.h"

namespace mooring {

struct Record {
  // These two are atomic because the submission side reads them when it looks for operations to
  // cancel.
  std::atomic<uint64_t> user_data{0};
  std::atomic<uint32_t> generation{0};  // odd while in flight
  uint32_t lease_first_index = 0;
  Registration* registration = nullptr;  // a reference is held; null if none
  uint64_t size = 0;                     // bytes requested; of a CANCEL: its cancel requests
  uint16_t opcode = 0;
  bool lease_held = false;
  Path path = Path::kNone;
  // A CANCEL has several requests: how many events are still to come, and how many operations it
  // found.
  struct Cancel {
    uint32_t pending = 0;
    uint32_t found = 0;
  };
  // A zero-copy SEND, until its notification: its descriptor, and the result of its first event.
  struct Send {
    int32_t fd = -1;
    int32_t result = 0;
  };
  union {
    Cancel cancel;
    Send send;
  } progress = {};
};

// A request's token (Request::token), which its events carry back, from the top bit down:
//   1 bit     kBufferTagBit: the tag of a buffer slot (buffer_table.cc), or an event of the engine
//   1 bit     kDetachedToken: a cancel request without a record; all other bits are 0
//   30 bits   generation of the record: its low bits
//   32 bits   index of the record
// The generation keeps a late cancel request from the next operation on the same record. A record
// has the same token again after 2^29 operations, as each of them adds 2 to its generation.
inline constexpr uint32_t kTokenGenerationShift = 32;
inline constexpr uint32_t kTokenGenerationBits = 30;
inline constexpr uint64_t kTokenGenerationMask = ((uint64_t{1} << kTokenGenerationBits) - 1)
                                                 << kTokenGenerationShift;
inline constexpr uint64_t kDetachedToken = uint64_t{1} << 62;
static_assert(kBufferTagBit + (kDetachedToken | kTokenGenerationMask | UINT32_MAX) == UINT64_MAX,
              "the parts of a token use each bit once");
static_assert((kDetachedToken & kTokenGenerationMask) == 0 &&
              (kTokenGenerationMask & UINT32_MAX) == 0);

class RecordPool {
 public:
  explicit RecordPool(uint32_t capacity)
      : capacity_(capacity),
        mask_(RoundUpToPowerOfTwo(capacity) - 1),
        records_(new Record[capacity]),
        free_(new uint32_t[mask_ + 1]),
        cached_tail_(capacity),
        returned_(capacity),
        tail_(capacity) {
    for (uint32_t i = 0; i < capacity; ++i) free_[i] = i;
  }

  uint32_t capacity() const { return capacity_; }
  Record& operator[](uint32_t index) { return records_[index]; }

  // Submission side: at least this many Take calls will succeed. Acquire pairs with the release of
  // PublishReturned.
  uint32_t FreeCount() {
    if (cached_tail_ == head_) cached_tail_ = tail_.load(std::memory_order_acquire);
    return cached_tail_ - head_;
  }
  // As FreeCount, but always current.
  uint32_t FreeCountNow() {
    cached_tail_ = tail_.load(std::memory_order_acquire);
    return cached_tail_ - head_;
  }
  // Submission side; only while FreeCount() > 0.
  uint32_t Take() {
    const uint32_t index = free_[head_ & mask_];
    ++head_;
    Record& record = records_[index];
    record.generation.store(record.generation.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
    return index;
  }
  // Submission side: undoes the last Take, before anything else is taken.
  void UndoTake(uint32_t index) {
    Record& record = records_[index];
    record.generation.store(record.generation.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
    --head_;
    DCHECK(free_[head_ & mask_] == index);
    free_[head_ & mask_] = index;
  }
  // Completion side: the operation has completed. The generation becomes even, so that a scan does
  // not find it in flight.
  void Retire(uint32_t index) {
    Record& record = records_[index];
    record.generation.store(record.generation.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
  }
  // Completion side: the record may be taken again after the next PublishReturned.
  void Return(uint32_t index) { free_[returned_++ & mask_] = index; }
  // Completion side. Release pairs with the acquire of FreeCount.
  void PublishReturned() { tail_.store(returned_, std::memory_order_release); }

  // Submission side. True until the completion side retires the record, which it may do at any
  // time.
  bool IsInFlight(uint32_t index) const {
    return (records_[index].generation.load(std::memory_order_relaxed) & 1) != 0;
  }
  // Submission side: calls visit(index) for the records in flight, in order of their indices, until
  // it returns false. `visit` may not take records.
  template <typename Visit>
  void ScanInFlight(Visit visit) {
    for (uint32_t index = 0; index < capacity_; ++index) {
      ++scanned_count_;
      if (IsInFlight(index) && !visit(index)) break;
    }
  }
  // Submission side: how many records all scans so far have examined.
  uint64_t scanned_count() const { return scanned_count_; }

  // The token of an operation's requests and events: see kTokenGenerationBits.
  static uint64_t TokenOf(uint32_t index, uint32_t generation) {
    return ((uint64_t{generation} << kTokenGenerationShift) & kTokenGenerationMask) | index;
  }
  static uint32_t IndexOf(uint64_t token) { return static_cast<uint32_t>(token); }

 private:
  const uint32_t capacity_;
  const uint32_t mask_;
  const std::unique_ptr<Record[]> records_;
  const std::unique_ptr<uint32_t[]> free_;
  alignas(64) uint32_t head_ = 0;  // submission side
  uint32_t cached_tail_;
  uint64_t scanned_count_ = 0;
  alignas(64) uint32_t returned_;  // completion side
  std::atomic<uint32_t> tail_;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_RECORD_POOL_H_
