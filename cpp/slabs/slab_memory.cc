#include "cpp/slabs/slab_memory.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/memlock.h"
#include "cpp/os/numa.h"
#include "cpp/os/pages.h"
#include "cpp/os/prefault.h"
#include "cpp/os/residency.h"

namespace mooring {
namespace {

// AUTO may leave 1/16 of a slab's size unused at the end of the last reserved huge page.
constexpr uint64_t kWasteDivisor = 16;

// The number of pages of a range whose node is verified after strict binding.
constexpr uint64_t kNodeSamples = 16;

// The size that decides whether a slab is too small for huge pages if the system reports no size.
constexpr uint64_t kUsualHugePageBytes = uint64_t{2} << 20;

uint64_t RoundUp(uint64_t bytes, uint64_t page_bytes) {
  return CheckedAlignUp(bytes, page_bytes).value_or(bytes);
}

bool IsEnabled(const TransparentHugePages& transparent) {
  return transparent.page_bytes != 0 &&
         (transparent.mode == ThpMode::kMadvise || transparent.mode == ThpMode::kAlways);
}

// The command that reserves enough pages for `bytes`; "" if this kernel has no reserved pages.
std::string ReserveSetting(uint64_t bytes) {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  if (!pool) return "";
  const uint64_t wanted = RoundUp(bytes, pool->page_bytes) / pool->page_bytes;
  const uint64_t missing = wanted - std::min(wanted, pool->Available());
  const uint64_t persistent = pool->total - std::min(pool->total, pool->surplus);
  return Format("sysctl vm.nr_hugepages=%llu",
                static_cast<unsigned long long>(persistent + missing));
}

// Why the memlock limit does not allow pinned huge pages of `charge` bytes in total, although some
// base pages could be pinned; "" if it allows them.
std::string MemlockObstacle(uint64_t charge) {
  const MemlockLimits memlock = ReadMemlockLimits();
  if (memlock.exempt || memlock.soft_bytes >= charge) return "";
  return Format("pinned huge pages are charged whole, %s, and the soft limit RLIMIT_MEMLOCK is %s",
                FormatBytes(charge).c_str(), FormatBytes(memlock.soft_bytes).c_str());
}

std::string FragmentedNote(uint64_t huge_bytes) {
  return Format("only %s of the slab are on transparent huge pages: memory is fragmented",
                FormatBytes(huge_bytes).c_str());
}

}  // namespace

SlabMemory::~SlabMemory() {
  if (process_ != CurrentProcess()) mapping_.Forget();
}

Result<std::unique_ptr<SlabMemory>> SlabMemory::Create(const SlabOptions& options,
                                                       uint64_t total_bytes,
                                                       uint64_t total_bytes_max) {
  std::unique_ptr<SlabMemory> memory(new SlabMemory);
  memory->options_ = options;
  memory->total_bytes_ = total_bytes;
  memory->total_bytes_max_ = total_bytes_max;
  if (options.numa_policy != NumaPolicy::kDefault) RETURN_IF_ERROR(CheckNode(options.numa_node));
  switch (options.huge_pages) {
    case HugePages::kAuto:
      RETURN_IF_ERROR(memory->MapAuto(options));
      break;
    case HugePages::kNever:
      RETURN_IF_ERROR(memory->MapBasePages(options));
      break;
    case HugePages::kRequire:
      RETURN_IF_ERROR(memory->MapRequired(options));
      break;
  }
  return memory;
}

std::unique_ptr<SlabMemory> SlabMemory::Adopt(std::byte* data, uint64_t size_bytes) {
  std::unique_ptr<SlabMemory> memory(new SlabMemory);
  memory->total_bytes_ = size_bytes;
  memory->adopted_ = true;
  memory->range_ = {data, static_cast<size_t>(size_bytes)};
  memory->page_bytes_ = memory->ReadPages().page_bytes;
  return memory;
}

Result<std::unique_ptr<SlabMemory>> SlabMemory::Import(int descriptor, uint64_t offset_bytes,
                                                       uint64_t size_bytes) {
  std::unique_ptr<SlabMemory> memory(new SlabMemory);
  ASSIGN_OR_RETURN(
      memory->mapping_,
      Mapping::Shared({.fd = descriptor, .offset_bytes = offset_bytes, .size_bytes = size_bytes}));
  RETURN_IF_ERROR(memory->mapping_.DontFork());
  memory->range_ = memory->mapping_.range();
  memory->total_bytes_ = memory->range_.size();
  memory->page_bytes_ = memory->mapping_.page_bytes();
  return memory;
}

SlabMemory::Pages SlabMemory::ReadPages() const {
  Pages pages{.page_bytes = PageBytes()};
  // If the kernel reports nothing, base pages and 0 bytes are assumed.
  if (const Result<uint64_t> huge = HugeBytes(range_); huge.ok()) pages.huge_bytes = huge.value();
  if (const Result<uint64_t> resident = ResidentBytes(range_); resident.ok()) {
    pages.resident_bytes = resident.value();
  }
  pages.numa_node = NodeOf(range_.data());
  uint64_t mapped_in = mapping_.page_bytes();
  if (adopted_) {
    const Result<uint64_t> read = KernelPageBytes(range_);
    mapped_in = read.ok() ? read.value() : PageBytes();
  }
  if (mapped_in > PageBytes()) {
    pages.kind = PageKind::kHugetlb;
    pages.page_bytes = mapped_in;
  } else if (pages.huge_bytes > 0) {
    pages.kind = PageKind::kTransparent;
    pages.page_bytes = std::max(pages.page_bytes, ReadTransparentHugePages().page_bytes);
  }
  return pages;
}

Status SlabMemory::MapBasePages(const SlabOptions& options) {
  return MapAndPrefault(options, PageKind::kOrdinary);
}

Status SlabMemory::MapAuto(const SlabOptions& options) {
  if (AutoUsesHugetlb(options)) {
    const Status status = MapAndPrefault(options, PageKind::kHugetlb);
    if (status.ok()) return OkStatus();
    // Another process took the pages, or a limit was reached only now: use the next best kind.
    Note(status.message());
  }
  if (AutoUsesTransparent(options)) {
    const Status status = MapAndPrefault(options, PageKind::kTransparent);
    if (status.ok()) {
      const std::span<std::byte> committed = Committed(total_bytes_);
      if (options.touch == Touch::kNow && !VerifyHuge(committed, committed.size()).ok()) {
        Note(FragmentedNote(ReadPages().huge_bytes));
      }
      return OkStatus();
    }
    Note(status.message());
  }
  return MapBasePages(options);
}

bool SlabMemory::AutoUsesHugetlb(const SlabOptions& options) {
  if (options.huge_page_kind == PageKind::kTransparent) return false;
  const std::string obstacle = HugetlbObstacle(options);
  if (obstacle.empty()) return true;
  // With kind ANY, transparent huge pages are equally good, so no note is needed.
  if (options.huge_page_kind == PageKind::kHugetlb) Note("base pages: " + obstacle);
  return false;
}

std::string SlabMemory::HugetlbObstacle(const SlabOptions& options) const {
  const std::optional<HugetlbPool> pool = ReadDefaultHugetlbPool();
  if (!pool) return "this kernel has no reserved huge pages";
  const uint64_t rounded = RoundUp(total_bytes_max_, pool->page_bytes);
  const uint64_t wanted = rounded / pool->page_bytes;
  if (rounded - total_bytes_max_ > total_bytes_max_ / kWasteDivisor) {
    return Format("reserved huge pages would waste %s",
                  FormatBytes(rounded - total_bytes_max_).c_str());
  }
  if (pool->Available() < wanted) {
    return Format("only %s of the %s reserved huge pages that the slab needs are available (%s)",
                  FormatCount(pool->Available()).c_str(), FormatCount(wanted).c_str(),
                  ReserveSetting(total_bytes_max_).c_str());
  }
  if (options.touch != Touch::kNow)
    return "AUTO uses reserved huge pages only if it prefaults them (touch is MOORING_TOUCH_NONE)";
  return MemlockObstacle(rounded);
}

bool SlabMemory::AutoUsesTransparent(const SlabOptions& options) {
  if (options.huge_page_kind == PageKind::kHugetlb) return false;
  const TransparentHugePages transparent = ReadTransparentHugePages();
  if (total_bytes_max_ <
      (transparent.page_bytes != 0 ? transparent.page_bytes : kUsualHugePageBytes)) {
    return false;
  }
  const std::string obstacle =
      IsEnabled(transparent) ? MemlockObstacle(RoundUp(total_bytes_max_, transparent.page_bytes))
                             : "this system provides no transparent huge pages";
  if (obstacle.empty()) return true;
  Note("base pages: " + obstacle);
  return false;
}

Status SlabMemory::MapRequired(const SlabOptions& options) {
  Status hugetlb;
  if (options.huge_page_kind != PageKind::kTransparent) {
    hugetlb = MapAndPrefault(options, PageKind::kHugetlb);
    if (hugetlb.ok() || options.huge_page_kind == PageKind::kHugetlb) return hugetlb;
  }
  Status transparent;
  if (IsEnabled(ReadTransparentHugePages())) {
    transparent = MapAndPrefault(options, PageKind::kTransparent);
    if (transparent.ok()) {
      const std::span<std::byte> committed = Committed(total_bytes_);
      transparent = VerifyHuge(committed, committed.size());
    }
    if (transparent.ok()) return OkStatus();
    mapping_ = Mapping();
  } else {
    transparent = Status(
        Code::kExhausted, Retry::kAfterRemedy, "this system provides no transparent huge pages",
        "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, in a kernel "
        "that has them");
  }
  if (hugetlb.ok()) return transparent;  // hugetlb was not tried
  return Status(
      Code::kExhausted, Retry::kAfterRemedy,
      Format("huge pages are required: %s; and %s", hugetlb.message(), transparent.message()),
      Format("%s; or %s", hugetlb.remedy(), transparent.remedy()), hugetlb.system_error());
}

Status SlabMemory::MapAndPrefault(const SlabOptions& options, PageKind kind) {
  Status status = Map(kind);
  // With copy-on-write in a child, the parent's pages could move away from the kernel's pins.
  if (status.ok()) status = mapping_.DontFork();
  // Bind, then prefault, then verify: a page is placed at its first fault, and cannot move once it
  // is pinned.
  if (status.ok()) status = Bind(options);
  if (status.ok()) status = BindAndPrefault(options, Committed(total_bytes_));
  if (status.ok()) {
    range_ = mapping_.range().first(static_cast<size_t>(total_bytes_));
  } else {
    mapping_ = Mapping();
  }
  return status;
}

Status SlabMemory::Map(PageKind kind) {
  kind_ = kind;
  const bool reserve_only = is_growable();
  if (kind == PageKind::kHugetlb) {
    ASSIGN_OR_RETURN(
        mapping_, Mapping::Hugetlb({.size_bytes = total_bytes_max_, .reserve_only = reserve_only}));
    page_bytes_ = mapping_.page_bytes();
    return OkStatus();
  }
  if (kind == PageKind::kTransparent) {
    page_bytes_ = ReadTransparentHugePages().page_bytes;
    // Whole huge pages, so that the last one is not split into base pages.
    ASSIGN_OR_RETURN(mapping_,
                     Mapping::Anonymous({.size_bytes = RoundUp(total_bytes_max_, page_bytes_),
                                         .alignment_bytes = page_bytes_,
                                         .reserve_only = reserve_only}));
    return mapping_.AdviseHugePages(HugePageAdvice::kUse);
  }
  page_bytes_ = PageBytes();
  ASSIGN_OR_RETURN(
      mapping_, Mapping::Anonymous({.size_bytes = total_bytes_max_, .reserve_only = reserve_only}));
  return mapping_.AdviseHugePages(HugePageAdvice::kAvoid);
}

// Binds the whole mapping, including the decommitted part, which keeps the policy when it is
// committed.
Status SlabMemory::Bind(const SlabOptions& options) {
  if (options.numa_policy == NumaPolicy::kDefault) return OkStatus();
  return BindRange({.range = mapping_.range(),
                    .node = options.numa_node,
                    .strict = options.numa_policy == NumaPolicy::kBind});
}

Status SlabMemory::BindAndPrefault(const SlabOptions& options, std::span<std::byte> piece) {
  if (is_growable()) {
    RETURN_IF_ERROR(
        mapping_.Commit(static_cast<uint64_t>(piece.data() - mapping_.data()), piece.size()));
  }
  // Required huge pages are always prefaulted, because only that shows whether they are available.
  if (options.touch == Touch::kNone && options.huge_pages != HugePages::kRequire) return OkStatus();
  const bool placed = options.numa_policy != NumaPolicy::kDefault;
  // The kernel may provide base pages in place of a transparent huge page, so each is prefaulted.
  RETURN_IF_ERROR(Prefault({.range = piece,
                            .page_bytes = kind_ == PageKind::kHugetlb ? page_bytes_ : 0,
                            .thread_count = options.touch_thread_count,
                            .numa_node = placed ? static_cast<int32_t>(options.numa_node) : -1}));
  return options.numa_policy == NumaPolicy::kBind ? VerifyNode(options.numa_node, piece)
                                                  : OkStatus();
}

Status SlabMemory::Prepare(uint64_t total_bytes) {
  prepared_bytes_ = total_bytes;
  prepared_note_.clear();
  const std::span<std::byte> before = Committed(range_.size());
  const std::span<std::byte> after = Committed(total_bytes);
  const std::span<std::byte> piece = after.subspan(before.size());
  if (piece.empty()) return OkStatus();  // the growth fits into the last page
  // Count over all committed memory, not over the piece: before 6.7 the kernel counts per mapping.
  const Result<uint64_t> huge_before = HugeBytes(before);
  Status status = BindAndPrefault(options_, piece);
  if (status.ok() && kind_ == PageKind::kTransparent && huge_before.ok()) {
    Status huge = VerifyHuge(after, huge_before.value() + piece.size());
    if (options_.huge_pages == HugePages::kRequire) {
      status = std::move(huge);
    } else if (options_.touch == Touch::kNow && !huge.ok()) {
      const Result<uint64_t> got = HugeBytes(after);
      prepared_note_ = FragmentedNote(got.ok() ? got.value() : 0);
    }
  }
  if (!status.ok()) Discard();
  return status;
}

void SlabMemory::Publish() {
  range_ = mapping_.range().first(static_cast<size_t>(prepared_bytes_));
  Note(prepared_note_);
}

void SlabMemory::Discard() {
  const uint64_t committed = Committed(range_.size()).size();
  const uint64_t prepared = Committed(prepared_bytes_).size();
  if (prepared > committed) mapping_.Decommit(committed, prepared - committed);
}

std::span<std::byte> SlabMemory::Committed(uint64_t total_bytes) const {
  if (!is_growable()) return mapping_.range();
  return mapping_.range().first(static_cast<size_t>(RoundUp(total_bytes, page_bytes_)));
}

Status SlabMemory::VerifyNode(uint32_t node, std::span<const std::byte> piece) const {
  const uint64_t step = std::max(RoundUp(piece.size() / kNodeSamples, page_bytes_), page_bytes_);
  for (uint64_t offset = 0; offset < piece.size(); offset += step) {
    const int32_t found = NodeOf(piece.data() + offset);
    // -1: the page was swapped out, or the kernel reports no node. Only a wrong node is an error.
    if (found < 0 || static_cast<uint32_t>(found) == node) continue;
    return Status(
        Code::kExhausted, Retry::kAfterRemedy,
        Format("the slab was bound to NUMA node %u, but its byte %llu is on node %d", node,
               static_cast<unsigned long long>(piece.data() - mapping_.data()) + offset, found),
        "free memory on that node, or ask for it with PREFER");
  }
  return OkStatus();
}

Status SlabMemory::VerifyHuge(std::span<const std::byte> committed, uint64_t wanted) const {
  ASSIGN_OR_RETURN(const uint64_t huge, HugeBytes(committed));
  if (huge >= wanted) return OkStatus();
  const std::string setting = ReserveSetting(committed.size());
  return Status(Code::kExhausted, Retry::kAfterRemedy,
                Format("of %s, only %s are on transparent huge pages: memory is fragmented",
                       FormatBytes(committed.size()).c_str(), FormatBytes(huge).c_str()),
                Format("as root: echo 1 > /proc/sys/vm/compact_memory%s%s",
                       setting.empty() ? "" : "; or reserve pages: ", setting.c_str()),
                ENOMEM);
}

void SlabMemory::Note(std::string_view text) {
  // Keep the first reason: later ones are its consequences.
  if (note_.empty()) note_ = text;
}

}  // namespace mooring
