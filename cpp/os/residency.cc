#include "cpp/os/residency.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/base/unique_fd.h"
#include "cpp/os/pages.h"
#include "cpp/os/proc_file.h"

namespace mooring {
namespace {

// Addresses, end not included.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t Overlap(const Span& other) const {
    const uint64_t first = std::max(begin, other.begin);
    const uint64_t last = std::min(end, other.end);
    return last > first ? last - first : 0;
  }
};

Span SpanOf(std::span<const std::byte> range) {
  const uint64_t begin = reinterpret_cast<uintptr_t>(range.data());
  return {begin, begin + range.size()};
}

// The whole pages that contain the range.
Span PagesOf(std::span<const std::byte> range) {
  const Span span = SpanOf(range);
  const uint64_t page_bytes = PageBytes();
  return {AlignDown(span.begin, page_bytes), AlignDown(span.end + page_bytes - 1, page_bytes)};
}

Status NoProc(int error, const char* path) {
  if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    return ErrnoStatus(error, Format("cannot read %s", path),
                       "close descriptors that are not needed, raise RLIMIT_NOFILE (ulimit -n), or "
                       "free memory");
  }
  return Status(Code::kUnsupported, Retry::kAfterRemedy, Format("cannot read %s", path),
                "mount proc on /proc, and allow this process its own files there", error);
}

// The uapi of PAGEMAP_SCAN, which headers before 6.7 do not have (linux/fs.h;
// Documentation/admin-guide/mm/pagemap.rst).
struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};

struct PagemapScanArgument {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t regions;
  uint64_t region_count;
  uint64_t page_count_max;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_anyof_mask;
  uint64_t return_mask;
};
static_assert(sizeof(PageRegion) == 24 && sizeof(PagemapScanArgument) == 96);

constexpr unsigned long kPagemapScan = _IOWR('f', 16, PagemapScanArgument);
constexpr uint64_t kPageIsHuge = uint64_t{1} << 6;  // mapped by a PMD, transparent or hugetlb

// One "Name:   123 kB" line.
std::optional<uint64_t> KilobyteField(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  const std::optional<uint64_t> kilobytes = ParseNumber(line.substr(name.size()));
  if (!kilobytes) return std::nullopt;
  return *kilobytes << 10;
}

// "7f0000000000-7f0000200000 rw-p ...", the first line of each mapping in /proc/self/smaps.
std::optional<Span> MappingHead(std::string_view line) {
  Span span;
  const char* const end = line.data() + line.size();
  const std::from_chars_result first = std::from_chars(line.data(), end, span.begin, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const std::from_chars_result last = std::from_chars(first.ptr + 1, end, span.end, 16);
  if (last.ec != std::errc() || last.ptr == end || *last.ptr != ' ') return std::nullopt;
  return span;
}

// Calls `visit` (shared bytes, line) for every line of every mapping that shares bytes with
// `range`. Returns an errno or 0.
template <typename Visit>
int VisitSmaps(const Span& range, Visit visit) {
  uint64_t shared = 0;
  return ForEachLine("/proc/self/smaps", [&](std::string_view line) {
    if (const std::optional<Span> head = MappingHead(line)) {
      shared = head->Overlap(range);
      return head->begin < range.end;  // mappings are sorted by address
    }
    if (shared > 0) visit(shared, line);
    return true;
  });
}

}  // namespace

namespace residency_internal {

Result<uint64_t> HugeBytesFromPagemap(std::span<const std::byte> range) {
  if (range.empty()) return uint64_t{0};
  const Span exact = SpanOf(range);
  const Span pages = PagesOf(range);
  const UniqueFd fd(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return NoProc(errno, "/proc/self/pagemap");
  PageRegion regions[64];
  PagemapScanArgument scan = {};
  scan.size = sizeof scan;
  scan.end = pages.end;
  scan.regions = reinterpret_cast<uintptr_t>(regions);
  scan.region_count = sizeof regions / sizeof regions[0];
  scan.category_mask = kPageIsHuge;
  scan.return_mask = kPageIsHuge;
  uint64_t huge_bytes = 0;
  for (uint64_t next = pages.begin; next < pages.end; next = scan.walk_end) {
    scan.start = next;
    const int count = ::ioctl(fd.get(), kPagemapScan, &scan);
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) {
        scan.walk_end = next;
        continue;
      }
      // ENOTTY before 6.7; EINVAL if the kernel has the call but not the category, which is newer.
      return Status(Code::kUnsupported, Retry::kNever,
                    "this kernel cannot scan a range for huge pages",
                    "read /proc/self/smaps instead", error);
    }
    for (int i = 0; i < count; ++i) huge_bytes += exact.Overlap({regions[i].start, regions[i].end});
    if (scan.walk_end <= next) break;
  }
  return huge_bytes;
}

Result<uint64_t> HugeBytesFromSmaps(std::span<const std::byte> range) {
  const Span exact = SpanOf(range);
  uint64_t huge_bytes = 0;
  const int error = VisitSmaps(exact, [&huge_bytes, mapping_huge = uint64_t{0}](
                                          uint64_t shared, std::string_view line) mutable {
    // The fields of one mapping, from Size to VmFlags (proc(5)). Adopted memory may also be files
    // or shared memory, whose huge pages are FilePmdMapped and ShmemPmdMapped.
    constexpr std::string_view kFields[] = {"AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:",
                                            "Shared_Hugetlb:", "Private_Hugetlb:"};
    if (line.starts_with("Size:")) mapping_huge = 0;
    for (const std::string_view field : kFields) {
      const uint64_t bytes = KilobyteField(line, field).value_or(0);
      const uint64_t room = shared - std::min(shared, mapping_huge);
      huge_bytes += std::min(bytes, room);
      mapping_huge += bytes;
    }
  });
  if (error != 0) return NoProc(error, "/proc/self/smaps");
  return huge_bytes;
}

}  // namespace residency_internal

Result<uint64_t> ResidentBytes(std::span<const std::byte> range) {
  if (range.empty()) return uint64_t{0};
  const Span exact = SpanOf(range);
  const Span pages = PagesOf(range);
  const uint64_t page_bytes = PageBytes();
  // One byte per page: 64 MiB of base pages per call, so a small buffer suffices for any range.
  unsigned char resident[16384];
  uint64_t resident_bytes = 0;
  int tries_left = 1000;
  for (uint64_t at = pages.begin; at < pages.end;) {
    const uint64_t bytes = std::min(pages.end - at, sizeof resident * page_bytes);
    if (::mincore(reinterpret_cast<void*>(at), bytes, resident) != 0) {
      const int error = errno;
      if (error == EAGAIN && --tries_left > 0)
        continue;  // the kernel is temporarily out of resources (mincore(2))
      return ErrnoStatus(error,
                         Format("cannot find out which pages of %s are in memory",
                                FormatBytes(range.size()).c_str()),
                         error == ENOMEM ? "pass only memory that is mapped"
                                         : "allow mincore in this process's sandbox");
    }
    for (uint64_t page = 0; page < bytes / page_bytes; ++page) {
      // The other bits are undefined (mincore(2)).
      if ((resident[page] & 1) == 0) continue;
      const uint64_t start = at + page * page_bytes;
      resident_bytes += exact.Overlap({start, start + page_bytes});
    }
    at += bytes;
  }
  return resident_bytes;
}

Result<uint64_t> HugeBytes(std::span<const std::byte> range) {
  Result<uint64_t> exact = residency_internal::HugeBytesFromPagemap(range);
  if (exact.ok()) return exact;
  return residency_internal::HugeBytesFromSmaps(range);
}

Result<uint64_t> KernelPageBytes(std::span<const std::byte> range) {
  uint64_t largest = 0;
  const int error = VisitSmaps(SpanOf(range), [&largest](uint64_t, std::string_view line) {
    largest = std::max(largest, KilobyteField(line, "KernelPageSize:").value_or(0));
  });
  if (error != 0) return NoProc(error, "/proc/self/smaps");
  if (largest == 0) {
    return Status(Code::kNotFound, Retry::kNever,
                  Format("nothing is mapped in a range of %s", FormatBytes(range.size()).c_str()),
                  "pass only memory that is mapped", ENOMEM);
  }
  return largest;
}

}  // namespace mooring
