// Pages: the page sizes of this system, and its settings for huge pages. For the pages of a range
// of memory, see residency.h.
//
// Threading: any thread. All functions except PageBytes read files of /proc and /sys at each call:
// keep them off the data path.
//
//   const TransparentHugePages thp = ReadTransparentHugePages();
//   if (thp.mode != ThpMode::kUnknown && size_bytes >= thp.page_bytes) ...
#ifndef MOORING_CPP_OS_PAGES_H_
#define MOORING_CPP_OS_PAGES_H_

#include <cstdint>
#include <optional>

namespace mooring {

// The size of a base page, a power of two.
uint64_t PageBytes();

// Same numbers as mooring_transparent_huge_pages_t.
enum class ThpMode : uint32_t { kUnknown = 0, kNever = 1, kMadvise = 2, kAlways = 3 };

struct TransparentHugePages {
  ThpMode mode = ThpMode::kUnknown;  // kUnknown: the kernel is built without them
  uint64_t page_bytes = 0;           // 0 = none
};

TransparentHugePages ReadTransparentHugePages();

// The reserved huge pages of one size (Documentation/admin-guide/mm/hugetlbpage.rst).
struct HugetlbPool {
  uint64_t page_bytes = 0;
  uint64_t total = 0;       // pages in the pool, surplus ones included
  uint64_t free = 0;        // pages of total that are not in use
  uint64_t reserved = 0;    // pages of free that a mapping has reserved but not faulted in
  uint64_t surplus = 0;     // pages of total above the sysctl, returned to the system when freed
  uint64_t overcommit = 0;  // maximum of surplus pages

  // Pages that a new mapping can still reserve.
  uint64_t Available() const { return free > reserved ? free - reserved : 0; }
};

// nullopt if the kernel has no huge pages of that size.
std::optional<HugetlbPool> ReadHugetlbPool(uint64_t page_bytes);
// The pool of the default size of mmap(MAP_HUGETLB); nullopt if there is none.
std::optional<HugetlbPool> ReadDefaultHugetlbPool();

}  // namespace mooring

#endif  // MOORING_CPP_OS_PAGES_H_
