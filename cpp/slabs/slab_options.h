// SlabOptions: the options of Slab::Create, Adopt and Import. With all fields 0, Create makes a
// slab of 64 MiB with the best pages available.
//
// Threading: a value.
//
//   const SlabOptions options{.buffer_bytes = 1 << 20, .buffer_count = 256};
#ifndef MOORING_CPP_SLABS_SLAB_OPTIONS_H_
#define MOORING_CPP_SLABS_SLAB_OPTIONS_H_

#include <cstdint>

namespace mooring {

// Same numbers as the C constants of the same names.
enum class HugePages : uint32_t { kAuto = 0, kNever = 1, kRequire = 2 };
enum class PageKind : uint32_t { kAny = 0, kOrdinary = 1, kTransparent = 2, kHugetlb = 3 };
enum class NumaPolicy : uint32_t { kDefault = 0, kBind = 1, kPrefer = 2 };
enum class Touch : uint32_t { kNow = 0, kNone = 1 };

struct SlabOptions {
  uint64_t buffer_bytes = 0;  // multiple of 512; 0 = 1 MiB
  uint64_t buffer_count = 0;  // 0 = 64
  HugePages huge_pages = HugePages::kAuto;
  PageKind huge_page_kind = PageKind::kAny;
  NumaPolicy numa_policy = NumaPolicy::kDefault;
  uint32_t numa_node = 0;
  Touch touch = Touch::kNow;
  uint32_t touch_thread_count = 0;
  uint64_t buffer_count_max = 0;  // the slab may grow to this; 0 = it never grows
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_OPTIONS_H_
