// UringProvidedRing: a ProvidedRing of an io_uring (5.19). This class maps its memory, with
// MADV_DONTFORK: otherwise copy-on-write after a fork could leave the kernel with the old page.
//
// Lifecycle and threading: see provided_ring.h.
//
//   std::unique_ptr<ProvidedRing> ring;
//   const int result = UringProvidedRing::Create(uring, next_group, 64, &ring);
#ifndef MOORING_CPP_ENGINE_IO_URING_PROVIDED_RING_H_
#define MOORING_CPP_ENGINE_IO_URING_PROVIDED_RING_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cpp/engine/io_uring/uring.h"
#include "cpp/engine/provided_ring.h"
#include "cpp/os/mapping.h"
#include "cpp/os/process.h"

namespace mooring {

class UringProvidedRing final : public ProvidedRing {
 public:
  // 0, or a negative errno. Uses the first free group from `next_group` on, and sets `next_group`
  // past it. `uring` must exist as long as Unregister may be called.
  static int Create(const Uring& uring, uint16_t& next_group, uint32_t entry_count,
                    std::unique_ptr<ProvidedRing>* out_ring);
  ~UringProvidedRing() override;

  void Add(std::byte* data, uint32_t size, uint16_t id) override;
  void Publish() override;
  int Unregister() override;

 private:
  UringProvidedRing(const Uring& uring, uint16_t group, uint32_t entry_count, Mapping mapping);

  const Uring& uring_;
  const ProcessToken process_ = CurrentProcess();
  Mapping mapping_;
  const uint32_t mask_;
  uint16_t tail_ = 0;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_PROVIDED_RING_H_
