// ProvidedBuffers: leased buffers of a slab in a ring's ProvidedRing. Receives take one only when
// data arrives. Each buffer that the kernel takes is replaced by another, as long as the slab has
// any.
//
// Lifecycle: that of its registration. No receive that uses it is in flight when it is destroyed.
// The buffers that the kernel has not taken are released to the slab.
//
// Threading: any thread. A mutex guards the records, and is not held over a system call. Creating
// and destroying: as BufferTable::Pin, but destroying on a thread that is not the owner leaves an
// unused group in the kernel.
//
//   std::unique_ptr<ProvidedBuffers> provided;
//   const int result = ProvidedBuffers::Create(table, slab, 64, &provided);
//   const Lease lease = provided->Take(ProvidedIdOf(event.flags));
#ifndef MOORING_CPP_REGISTRATION_PROVIDED_BUFFERS_H_
#define MOORING_CPP_REGISTRATION_PROVIDED_BUFFERS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/engine/provided_ring.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/pin_charge.h"
#include "cpp/slabs/slab.h"

namespace mooring {

class ProvidedBuffers {
 public:
  static constexpr uint32_t kCountMax =
      32768;  // entries of a ring of provided buffers (io_uring_register(2))

  // 0, or a negative errno. `count` is 1 to kCountMax.
  static int Create(RefPtr<BufferTable> table, RefPtr<Slab> slab, uint32_t count,
                    std::unique_ptr<ProvidedBuffers>* out_buffers);
  ~ProvidedBuffers();

  uint16_t group() const { return ring_->group(); }
  uint32_t count() const { return static_cast<uint32_t>(leases_.size()); }

  // The buffer that the kernel has taken under this id. The caller owns it from now on.
  Lease Take(uint16_t id);
  // Replaces buffers that the kernel has taken. False when there is none left for the kernel.
  bool Refill();

 private:
  ProvidedBuffers(RefPtr<BufferTable> table, RefPtr<Slab> slab, uint32_t count,
                  std::unique_ptr<ProvidedRing> ring, RefPtr<PinCharge> charge);
  void RefillLocked() REQUIRES(mutex_);

  const RefPtr<BufferTable> table_;
  const RefPtr<Slab> slab_;
  const std::unique_ptr<ProvidedRing> ring_;
  const RefPtr<PinCharge> charge_;  // of the ring's own pages
  Mutex mutex_;
  std::vector<Lease> leases_;  // by id; the size never changes, the leases are guarded by mutex_
  std::vector<uint16_t> free_ids_ GUARDED_BY(mutex_);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_PROVIDED_BUFFERS_H_
