#include "cpp/engine/io_uring/provided_ring.h"

#include <cerrno>
#include <utility>

#include "cpp/base/result.h"
#include "cpp/engine/io_uring/abi.h"

namespace mooring {
namespace {

// After `next_group` has wrapped around, it can reach groups that were never unregistered.
constexpr int kGroupsToTry = 64;

io_uring_buf* Entries(const Mapping& mapping) {
  return reinterpret_cast<io_uring_buf*>(mapping.data());
}

}  // namespace

UringProvidedRing::UringProvidedRing(const Uring& uring, uint16_t group, uint32_t entry_count,
                                     Mapping mapping)
    : ProvidedRing(group), uring_(uring), mapping_(std::move(mapping)), mask_(entry_count - 1) {}

UringProvidedRing::~UringProvidedRing() {
  if (process_ != CurrentProcess()) mapping_.Forget();
}

int UringProvidedRing::Create(const Uring& uring, uint16_t& next_group, uint32_t entry_count,
                              std::unique_ptr<ProvidedRing>* out_ring) {
  static_assert(sizeof(io_uring_buf) == kEntryBytes);
  Result<Mapping> mapping = Mapping::Anonymous({.size_bytes = entry_count * kEntryBytes});
  if (!mapping.ok() || !mapping.value().DontFork().ok()) return -ENOMEM;
  io_uring_buf_reg argument = {};
  argument.ring_addr = reinterpret_cast<uint64_t>(mapping.value().data());
  argument.ring_entries = entry_count;
  int result = -EEXIST;
  for (int tries = 0; result == -EEXIST && tries < kGroupsToTry; ++tries) {
    argument.bgid = next_group++;
    result = uring.Register(IORING_REGISTER_PBUF_RING, &argument, 1);
  }
  if (result < 0) return result;
  out_ring->reset(
      new UringProvidedRing(uring, argument.bgid, entry_count, std::move(mapping.value())));
  return 0;
}

void UringProvidedRing::Add(std::byte* data, uint32_t size, uint16_t id) {
  io_uring_buf& entry = Entries(mapping_)[tail_++ & mask_];
  // Field by field: the ring's tail shares memory with the unused field of the first entry.
  entry.addr = reinterpret_cast<uint64_t>(data);
  entry.len = size;
  entry.bid = id;
}

// Release: the kernel sees the entries before it sees the tail that includes them.
void UringProvidedRing::Publish() {
  __atomic_store_n(&Entries(mapping_)[0].resv, tail_, __ATOMIC_RELEASE);
}

int UringProvidedRing::Unregister() {
  io_uring_buf_reg argument = {};
  argument.bgid = group();
  return uring_.Register(IORING_UNREGISTER_PBUF_RING, &argument, 1);
}

}  // namespace mooring
