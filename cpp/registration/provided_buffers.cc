#include "cpp/registration/provided_buffers.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/base/checked.h"
#include "cpp/os/memlock_ledger.h"
#include "cpp/os/pages.h"

namespace mooring {

ProvidedBuffers::ProvidedBuffers(RefPtr<BufferTable> table, RefPtr<Slab> slab, uint32_t count,
                                 std::unique_ptr<ProvidedRing> ring, RefPtr<PinCharge> charge)
    : table_(std::move(table)),
      slab_(std::move(slab)),
      ring_(std::move(ring)),
      charge_(std::move(charge)),
      leases_(count) {
  MutexLock lock(mutex_);
  free_ids_.reserve(count);
  // Used as a stack, so that the lowest id comes first.
  for (uint32_t id = count; id > 0; --id) free_ids_.push_back(static_cast<uint16_t>(id - 1));
  RefillLocked();
}

ProvidedBuffers::~ProvidedBuffers() {
  table_->RemoveProvidedRing(*ring_);
  for (const Lease& lease : leases_) {
    if (lease.generation != 0) CHECK(slab_->Release(lease).ok());
  }
}

int ProvidedBuffers::Create(RefPtr<BufferTable> table, RefPtr<Slab> slab, uint32_t count,
                            std::unique_ptr<ProvidedBuffers>* out_buffers) {
  const uint32_t entry_count = RoundUpToPowerOfTwo(count);
  std::unique_ptr<ProvidedRing> ring;
  int result = table->CreateProvidedRing(entry_count, &ring);
  // The kernel may not have returned yet what this process has released.
  for (MemlockBackoff backoff; result == -ENOMEM && backoff.Wait();) {
    result = table->CreateProvidedRing(entry_count, &ring);
  }
  if (result != 0) return result;
  // The kernel charges it where it charges rings, from 6.14 on (measured).
  const bool is_charged = table->engine_info().memlock_bytes != 0;
  const uint64_t bytes = *CheckedAlignUp(entry_count * ProvidedRing::kEntryBytes, PageBytes());
  out_buffers->reset(new ProvidedBuffers(std::move(table), std::move(slab), count, std::move(ring),
                                         MakeRef<PinCharge>(is_charged ? bytes : 0)));
  return 0;
}

Lease ProvidedBuffers::Take(uint16_t id) {
  MutexLock lock(mutex_);
  CHECK(id < leases_.size() && leases_[id].generation != 0);
  const Lease lease = std::exchange(leases_[id], Lease{});
  free_ids_.push_back(id);
  RefillLocked();
  return lease;
}

bool ProvidedBuffers::Refill() {
  MutexLock lock(mutex_);
  RefillLocked();
  return free_ids_.size() < leases_.size();
}

void ProvidedBuffers::RefillLocked() {
  const auto size = static_cast<uint32_t>(std::min(slab_->buffer_bytes(), kTransferBytesMax));
  bool any = false;
  while (!free_ids_.empty()) {
    const uint16_t id = free_ids_.back();
    Lease& lease = leases_[id];
    if (!slab_->Acquire(1, &lease).ok()) break;
    free_ids_.pop_back();
    ring_->Add(slab_->base() + lease.first_index * slab_->buffer_bytes(), size, id);
    any = true;
  }
  if (any) ring_->Publish();
}

}  // namespace mooring
