#include "cpp/registration/sparse_table.h"

#include <cerrno>

#include "cpp/registration/slot_table.h"

namespace mooring {

SparseTable::SparseTable(Engine& engine)
    : KernelTable(engine, {.slot_count_max = SlotTable::kSlotCountMax,
                           .posts_tags = (engine.info().features & kFeatureBufferTags) != 0,
                           .shares_slots = true}) {}

void SparseTable::RequestChanges() { engine().Wake(); }

KernelTable::Applied SparseTable::Apply(std::span<Change> changes) {
  for (Change& change : changes) {
    const int done = engine().UpdateBuffers(change.slot, {&change.range, 1}, {&change.tag, 1});
    change.error = done == 1 ? 0 : done < 0 ? -done : EIO;
  }
  return {};
}

int SparseTable::CloneSlot(const Engine& source, uint32_t from, uint32_t to) {
  return engine().CloneBuffer(source, from, to);
}

void SparseTable::Close() {
  if (engine().IsOwner()) (void)engine().UnregisterBuffers();
}

}  // namespace mooring
