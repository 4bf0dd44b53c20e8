#include "cpp/registration/pin_directory.h"

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "cpp/base/thread_annotations.h"
#include "cpp/os/per_process.h"

namespace mooring {
namespace {

struct ShorterRange {
  bool operator()(const PinDirectory::Range& a, const PinDirectory::Range& b) const {
    const auto slab_a = reinterpret_cast<uintptr_t>(a.slab);
    const auto slab_b = reinterpret_cast<uintptr_t>(b.slab);
    return std::tie(slab_a, a.offset, a.size) < std::tie(slab_b, b.offset, b.size);
  }
};

struct Directory {
  Mutex mutex;
  std::map<PinDirectory::Range, std::vector<PinDirectory::Holder>, ShorterRange> ranges
      GUARDED_BY(mutex);
};

constinit PerProcess<Directory> directories;

}  // namespace

void PinDirectory::Publish(const Range& range, Holder holder) {
  Directory& directory = directories.Get();
  MutexLock lock(directory.mutex);
  directory.ranges[range].push_back(std::move(holder));
}

void PinDirectory::Withdraw(const Range& range, const BufferTable* table, uint32_t slot) {
  Directory& directory = directories.Get();
  MutexLock lock(directory.mutex);
  const auto found = directory.ranges.find(range);
  if (found == directory.ranges.end()) return;
  std::erase_if(found->second,
                [&](const Holder& held) { return held.table == table && held.slot == slot; });
  if (found->second.empty()) directory.ranges.erase(found);
}

PinDirectory::Cloned PinDirectory::Clone(const Range& wanted, Match match, const BufferTable* table,
                                         KernelTable& kernel, uint32_t slot) {
  Directory& directory = directories.Get();
  MutexLock lock(directory.mutex);
  auto next = directory.ranges.upper_bound(wanted);
  while (next != directory.ranges.begin()) {
    const auto& [range, holders] = *--next;
    if (range.slab != wanted.slab || range.offset != wanted.offset) break;
    if (match == Match::kExact && range.size != wanted.size) break;
    for (const Holder& holder : holders) {
      // The kernel may refuse for a reason that concerns this holder alone: its ring has an owner
      // on another thread, or was made when this process was exempt. So the next one is tried.
      if (holder.table == table || kernel.CloneSlot(*holder.engine, holder.slot, slot) != 0)
        continue;
      return Cloned{range.size, holder.charge};
    }
  }
  return Cloned{};
}

}  // namespace mooring
