#include "cpp/registration/kernel_table.h"

#include "cpp/registration/sparse_table.h"
#include "cpp/registration/whole_table.h"

namespace mooring {

std::unique_ptr<KernelTable> KernelTable::Create(Engine& engine, RingQuiescer* quiescer) {
  const EngineInfo& info = engine.info();
  const bool has_table = info.fixed_buffer_count > 0;
  const bool has_update = (info.features & kFeatureBufferUpdate) != 0;
  if (has_table && !has_update) return std::make_unique<WholeTable>(engine, quiescer);
  return std::make_unique<SparseTable>(engine);
}

}  // namespace mooring
