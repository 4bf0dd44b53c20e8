#include "cpp/operations/message_pool.h"

#include "cpp/operations/operation_errors.h"

namespace mooring {

const ErrorDetail* Message::TakeOne(const Segment& segment, Slab* slab, iovec& range) {
  if (slab == nullptr) {
    if (segment.lease_generation != 0) return &kLeaseWithoutRegistration;
    range = {.iov_base = reinterpret_cast<void*>(segment.offset), .iov_len = segment.size};
    return nullptr;
  }
  uint64_t start = 0;
  uint64_t limit = slab->total_bytes();
  if (segment.lease_generation != 0) {
    const uint32_t buffers = slab->Hold(segment.lease_first_index, segment.lease_generation);
    if (buffers == 0) return &kStaleLease;
    held[held_count++] = segment.lease_first_index;
    start = segment.lease_first_index * slab->buffer_bytes();
    limit = buffers * slab->buffer_bytes();
  }
  if (segment.offset > limit || segment.size > limit - segment.offset) return &kOutOfBounds;
  range = {.iov_base = slab->base() + start + segment.offset, .iov_len = segment.size};
  return nullptr;
}

const ErrorDetail* Message::Take(const Operation& operation, Slab* slab, uint64_t* total_bytes) {
  const auto* const segments = reinterpret_cast<const Segment*>(operation.offset);
  const auto count = static_cast<uint32_t>(operation.size);
  held_count = 0;
  *total_bytes = 0;
  const ErrorDetail* refusal = nullptr;
  for (uint32_t i = 0; i < count && refusal == nullptr; ++i) {
    // Neither sum can wrap round: one of kSegmentCountMax segments that is too large ends the loop.
    if (segments[i].size > kTransferBytesMax) {
      refusal = &kTooLarge;
    } else {
      refusal = TakeOne(segments[i], slab, ranges[i]);
    }
    *total_bytes += segments[i].size;
  }
  if (refusal == nullptr && *total_bytes > kTransferBytesMax) refusal = &kTooLarge;
  if (refusal != nullptr) {
    Release(slab);
    return refusal;
  }
  header = {};
  header.msg_iov = ranges;
  header.msg_iovlen = count;
  return nullptr;
}

void Message::Release(Slab* slab) {
  for (uint32_t i = 0; i < held_count; ++i) slab->Unhold(held[i]);
  held_count = 0;
}

}  // namespace mooring
