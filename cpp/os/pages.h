// Pages: what sizes of pages this system has, and how it gives them out. For what a range of memory
// really got, see residency.h.
//
// Threading: any thread. All but PageBytes read files of /proc and /sys at each call: keep them off
// the data path.
//
//   const TransparentHugePages thp = ReadTransparentHugePages();
//   if (thp.mode != ThpMode::kUnknown && size_bytes >= thp.page_bytes) ...
#ifndef MOORING_CPP_OS_PAGES_H_
#define MOORING_CPP_OS_PAGES_H_

#include <cstdint>
#include <optional>

namespace mooring {

// Of an ordinary page. A power of two.
uint64_t PageBytes();

// Same numbers as mooring_transparent_huge_pages_t.
enum class ThpMode : uint32_t { kUnknown = 0, kNever = 1, kMadvise = 2, kAlways = 3 };

struct TransparentHugePages {
  ThpMode mode = ThpMode::kUnknown;  // kUnknown: not built into this kernel
  uint64_t page_bytes = 0;           // 0 = none
};

TransparentHugePages ReadTransparentHugePages();

// The reserved huge pages of one size (Documentation/admin-guide/mm/hugetlbpage.rst).
struct HugetlbPool {
  uint64_t page_bytes = 0;
  uint64_t total = 0;       // pages in the pool, surplus ones included
  uint64_t free = 0;        // of total, not in use
  uint64_t reserved = 0;    // of free, promised to a mapping that has not touched them
  uint64_t surplus = 0;     // of total, above the sysctl, given back when freed
  uint64_t overcommit = 0;  // surplus pages the kernel may make on demand

  // Pages that a new mapping can still be promised out of the pool.
  uint64_t Available() const { return free > reserved ? free - reserved : 0; }
};

// nullopt when the kernel has no huge pages of that size.
std::optional<HugetlbPool> ReadHugetlbPool(uint64_t page_bytes);
// Of the size that mmap(MAP_HUGETLB) gives unasked; nullopt when there is none.
std::optional<HugetlbPool> ReadDefaultHugetlbPool();

}  // namespace mooring

#endif  // MOORING_CPP_OS_PAGES_H_
