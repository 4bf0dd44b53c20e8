// MessagePool: the ranges of each SENDMSG or RECVMSG in flight, in storage allocated once. The
// kernel may read the header and the ranges after the submission (SQPOLL, worker threads), so they
// live as long as the operation.
//
// Threading: a message belongs to the side that has the record of the same index (record_pool.h).
#ifndef MOORING_CPP_RING_MESSAGE_POOL_H_
#define MOORING_CPP_RING_MESSAGE_POOL_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>

#include "cpp/base/status.h"
#include "cpp/ring/operation.h"
#include "cpp/slabs/slab.h"

namespace mooring {

struct Message {
  msghdr header;
  iovec ranges[kSegmentCountMax];
  uint32_t held[kSegmentCountMax];  // first indices of the leases that are held
  uint32_t held_count;

  // Takes the segments of `operation` and holds their leases. `total_bytes` is the sum of their
  // sizes. `slab` is the slab of the operation's registration, or null. Returns why it refuses the
  // segments and holds nothing, or null.
  const ErrorDetail* Take(const Operation& operation, Slab* slab, uint64_t* total_bytes);

  // Releases the holds on the leases. `slab` is the one that Take got.
  void Release(Slab* slab);

 private:
  const ErrorDetail* TakeOne(const Segment& segment, Slab* slab, iovec& range);
};

class MessagePool {
 public:
  // The memory is not written, so messages that are never used need no pages.
  explicit MessagePool(uint32_t capacity) : messages_(new Message[capacity]) {}

  Message& operator[](uint32_t index) { return messages_[index]; }

 private:
  const std::unique_ptr<Message[]> messages_;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_MESSAGE_POOL_H_
