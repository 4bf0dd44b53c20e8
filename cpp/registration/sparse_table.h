// SparseTable: the kernel's fixed-buffer table where slots can be empty and are changed one by one
// with IORING_REGISTER_BUFFERS_UPDATE (from Linux 5.13). It is also the class of rings that have no
// table at all: their SlotTable has no slot to change.
//
// Threading: as KernelTable. No change is refused for now, and no pin is lost.
//
//   SparseTable table(engine);
//   KernelTable::Change change{.slot = 0, .range = {base, size}, .tag = tag};
//   table.Apply({&change, 1});
#ifndef MOORING_CPP_REGISTRATION_SPARSE_TABLE_H_
#define MOORING_CPP_REGISTRATION_SPARSE_TABLE_H_

#include <cstdint>
#include <span>

#include "cpp/engine/engine.h"
#include "cpp/registration/kernel_table.h"

namespace mooring {

class SparseTable final : public KernelTable {
 public:
  // The engine outlives all calls up to Close.
  explicit SparseTable(Engine& engine);

  // Wakes the owner of the ring, which may be waiting in a reap.
  void RequestChanges() override;
  Applied Apply(std::span<Change> changes) override;
  int CloneSlot(const Engine& source, uint32_t from, uint32_t to) override;
  void Close() override;
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_SPARSE_TABLE_H_
