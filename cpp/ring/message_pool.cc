#include "cpp/ring/message_pool.h"

#include "cpp/ring/lease_range.h"
#include "cpp/ring/operation_errors.h"

namespace mooring {

const ErrorDetail* Message::TakeOne(const Segment& segment, Slab* slab, iovec& range) {
  if (slab == nullptr) {
    if (segment.lease_generation != 0) return &kLeaseWithoutRegistration;
    range = {.iov_base = reinterpret_cast<void*>(segment.offset), .iov_len = segment.size};
    return nullptr;
  }
  uint64_t offset = 0;
  if (const ErrorDetail* refusal =
          HoldRange(*slab, segment.lease_first_index, segment.lease_generation, segment.offset,
                    segment.size, &offset)) {
    return refusal;
  }
  if (segment.lease_generation != 0) held[held_count++] = segment.lease_first_index;
  range = {.iov_base = slab->base() + offset, .iov_len = segment.size};
  return nullptr;
}

const ErrorDetail* Message::Take(const Operation& operation, Slab* slab, uint64_t* total_bytes) {
  const auto* const segments = reinterpret_cast<const Segment*>(operation.offset);
  const auto count = static_cast<uint32_t>(operation.size);
  held_count = 0;
  *total_bytes = 0;
  const ErrorDetail* refusal = nullptr;
  for (uint32_t i = 0; i < count && refusal == nullptr; ++i) {
    // No sum overflows: a segment that is too large ends the loop, and there are at most
    // kSegmentCountMax of them.
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
