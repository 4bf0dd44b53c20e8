#include "cpp/slabs/slab_memory.h"

#include <algorithm>
#include <cinttypes>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/memlock.h"
#include "cpp/os/numa.h"
#include "cpp/os/pages.h"
#include "cpp/os/residency.h"
#include "cpp/os/touch.h"

namespace mooring {
namespace {

uint64_t RoundUp(uint64_t bytes, uint64_t page_bytes) { return CheckedAlignUp(bytes, page_bytes).value_or(bytes); }

// Pinned huge pages are charged whole (measured, 5.10 to 7.0), so where they pass the limit and ordinary pages would let
// a prefix fit, ordinary pages it is.
bool MemlockForbidsHugePages(uint64_t total_bytes, uint64_t huge_page_bytes, std::string* note) {
  const MemlockLimits memlock = ReadMemlockLimits();
  const uint64_t charge = RoundUp(total_bytes, huge_page_bytes);
  if (memlock.exempt || memlock.soft_bytes >= charge) return false;
  *note = Format("ordinary pages: huge ones would charge %" PRIu64 " bytes, and the soft RLIMIT_MEMLOCK is %" PRIu64,
                 charge, memlock.soft_bytes);
  return true;
}

bool PoolHolds(const HugetlbPool& pool, uint64_t total_bytes) {
  return pool.page_bytes != 0 && pool.Available() >= RoundUp(total_bytes, pool.page_bytes) / pool.page_bytes;
}

}  // namespace

SlabMemory::~SlabMemory() {
  if (process_ == CurrentProcess()) return;
  // Not ours to unmap. The object is forgotten without its destructor: a few words of the child's memory.
  new Mapping(std::move(mapping_));  // NOLINT
}

std::unique_ptr<SlabMemory> SlabMemory::Adopt(std::byte* data, uint64_t size_bytes) {
  std::unique_ptr<SlabMemory> memory(new SlabMemory);
  memory->adopted_ = true;
  memory->range_ = {data, static_cast<size_t>(size_bytes)};
  memory->page_bytes_ = PageBytes();
  if (const Result<uint64_t> mapped_in = KernelPageBytes(memory->range_); mapped_in.ok()) {
    memory->page_bytes_ = std::max(memory->page_bytes_, mapped_in.value());
  }
  if (memory->page_bytes_ > PageBytes()) {
    memory->page_kind_ = PageKind::kHugetlb;
  } else if (const Result<uint64_t> huge = HugeBytes(memory->range_); huge.ok() && huge.value() > 0) {
    memory->page_bytes_ = std::max(memory->page_bytes_, ReadTransparentHugePages().page_bytes);
    memory->page_kind_ = PageKind::kTransparent;
  }
  return memory;
}

Result<std::unique_ptr<SlabMemory>> SlabMemory::Create(const SlabOptions& options, uint64_t total_bytes) {
  std::unique_ptr<SlabMemory> memory(new SlabMemory);
  RETURN_IF_ERROR(memory->Map(options, total_bytes));
  memory->range_ = memory->mapping_.range().first(static_cast<size_t>(total_bytes));
  // Best effort: a kernel that refuses it copies pages to a child on write, as for any memory.
  (void)memory->mapping_.DontFork();
  RETURN_IF_ERROR(memory->Place(options));
  return memory;
}

Status SlabMemory::MapHugetlb(uint64_t total_bytes) {
  ASSIGN_OR_RETURN(mapping_, Mapping::Hugetlb({.size_bytes = total_bytes}));
  page_bytes_ = mapping_.page_bytes();
  page_kind_ = PageKind::kHugetlb;
  return OkStatus();
}

Status SlabMemory::MapAnonymous(uint64_t total_bytes, bool transparent) {
  const uint64_t huge_bytes = transparent ? ReadTransparentHugePages().page_bytes : 0;
  // Whole huge pages, so that the last one is not cut into ordinary ones.
  const uint64_t size_bytes = transparent ? RoundUp(total_bytes, huge_bytes) : total_bytes;
  ASSIGN_OR_RETURN(mapping_, Mapping::Anonymous({.size_bytes = size_bytes, .alignment_bytes = huge_bytes}));
  page_bytes_ = transparent ? huge_bytes : PageBytes();
  page_kind_ = transparent ? PageKind::kTransparent : PageKind::kOrdinary;
  Status advised = mapping_.AdviseHugePages(transparent ? HugePageAdvice::kUse : HugePageAdvice::kAvoid);
  // A kernel without them needs no asking to avoid them.
  return transparent ? std::move(advised) : OkStatus();
}

Status SlabMemory::MapRequired(const SlabOptions& options, uint64_t total_bytes) {
  if (options.huge_page_kind == PageKind::kHugetlb) return MapHugetlb(total_bytes);
  if (options.huge_page_kind == PageKind::kAny && MapHugetlb(total_bytes).ok()) return OkStatus();
  const TransparentHugePages transparent = ReadTransparentHugePages();
  if (transparent.page_bytes == 0 || transparent.mode == ThpMode::kNever) {
    return Status(Code::kExhausted, Retry::kAfterRemedy,
                  "huge pages are required, and this machine gives neither reserved nor transparent ones",
                  Format("reserve them (sysctl vm.nr_hugepages=%" PRIu64
                         " for 2 MiB pages), or write madvise to /sys/kernel/mm/transparent_hugepage/enabled",
                         RoundUp(total_bytes, 2 << 20) / (2 << 20)));
  }
  return MapAnonymous(total_bytes, true);
}

Status SlabMemory::Map(const SlabOptions& options, uint64_t total_bytes) {
  if (options.huge_pages == HugePages::kRequire) return MapRequired(options, total_bytes);
  if (options.huge_pages == HugePages::kNever) return MapAnonymous(total_bytes, false);
  const TransparentHugePages transparent = ReadTransparentHugePages();
  const uint64_t huge_bytes = transparent.page_bytes != 0 ? transparent.page_bytes : 2 << 20;
  if (total_bytes < huge_bytes) return MapAnonymous(total_bytes, false);
  if (MemlockForbidsHugePages(total_bytes, huge_bytes, &note_)) return MapAnonymous(total_bytes, false);
  if (options.huge_page_kind != PageKind::kTransparent) {
    const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
    // Another process may be faster: then the next best will do.
    if (pool && PoolHolds(*pool, total_bytes) && MapHugetlb(total_bytes).ok()) return OkStatus();
  }
  const bool offered = transparent.mode == ThpMode::kMadvise || transparent.mode == ThpMode::kAlways;
  if (options.huge_page_kind != PageKind::kHugetlb && offered) return MapAnonymous(total_bytes, true);
  note_ = "ordinary pages: no huge ones of the kind asked for are to be had on this machine now";
  return MapAnonymous(total_bytes, false);
}

// Bind, then touch, then look: pages are placed when they are touched, and stay where they are once pinned.
Status SlabMemory::Place(const SlabOptions& options) {
  const bool placed = options.numa_policy != NumaPolicy::kDefault;
  if (placed) {
    RETURN_IF_ERROR(BindRange({.range = mapping_.range(),
                               .node = options.numa_node,
                               .strict = options.numa_policy == NumaPolicy::kBind}));
  }
  // Huge pages that are required are touched in any case: only then can it be told whether they were given.
  const bool verify = options.huge_pages == HugePages::kRequire;
  if (options.touch == Touch::kNow || verify) {
    RETURN_IF_ERROR(PreTouch({.range = mapping_.range(),
                              .page_bytes = page_kind_ == PageKind::kHugetlb ? page_bytes_ : 0,
                              .thread_count = options.touch_thread_count,
                              .numa_node = placed ? static_cast<int32_t>(options.numa_node) : -1}));
  }
  return verify ? VerifyHuge() : OkStatus();
}

Status SlabMemory::VerifyHuge() const {
  if (page_kind_ == PageKind::kHugetlb) return OkStatus();
  const Result<uint64_t> huge = HugeBytes(mapping_.range());
  const uint64_t got = huge.ok() ? huge.value() : 0;
  if (got >= mapping_.size_bytes()) return OkStatus();
  const uint64_t pages = mapping_.size_bytes() / page_bytes_;
  return Status(Code::kExhausted, Retry::kAfterRemedy,
                Format("huge pages are required, and only %" PRIu64 " of %" PRIu64
                       " bytes got one: memory is too fragmented",
                       got, mapping_.size_bytes()),
                Format("reserve them instead (sysctl vm.nr_hugepages=%" PRIu64
                       "), or compact memory (echo 1 > /proc/sys/vm/compact_memory)",
                       pages));
}

}  // namespace mooring
