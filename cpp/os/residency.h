// Residency: the state of a range of memory, as the kernel reports it: resident bytes, bytes on
// huge pages, and the page size.
//
// Ranges need not be aligned: of each page, the bytes inside the range count. Another thread or the
// kernel may change the results immediately.
//
// Threading: any thread. All functions make system calls and read /proc: keep them off the data
// path.
//
//   ASSIGN_OR_RETURN(const uint64_t huge_bytes, HugeBytes(mapping.range()));
#ifndef MOORING_CPP_OS_RESIDENCY_H_
#define MOORING_CPP_OS_RESIDENCY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpp/base/result.h"

namespace mooring {

// Bytes that are in memory now (mincore(2)). For file-backed memory of other users it may count all
// bytes (since Linux 5.2). EXHAUSTED if a part of the range is not mapped.
Result<uint64_t> ResidentBytes(std::span<const std::byte> range);

// Bytes that transparent or reserved huge pages map now. The result is exact if the kernel can scan
// ranges (ioctl PAGEMAP_SCAN, Linux 6.7). Otherwise it is from /proc/self/smaps, which counts per
// mapping: for a mapping that extends beyond the range, huge pages outside the range count too, up
// to the bytes of the mapping inside the range. smaps does not count pages that automatic NUMA
// balancing samples (seen on 6.1, on two nodes). UNSUPPORTED without /proc.
Result<uint64_t> HugeBytes(std::span<const std::byte> range);

// The largest page size of the mappings in the range (KernelPageSize of /proc/self/smaps): that of
// base pages, also with transparent huge pages, or that of reserved huge pages. NOT_FOUND if
// nothing is mapped there, UNSUPPORTED without /proc.
Result<uint64_t> KernelPageBytes(std::span<const std::byte> range);

namespace residency_internal {

// The two methods of HugeBytes, for tests.
Result<uint64_t> HugeBytesFromPagemap(std::span<const std::byte> range);
Result<uint64_t> HugeBytesFromSmaps(std::span<const std::byte> range);

}  // namespace residency_internal

}  // namespace mooring

#endif  // MOORING_CPP_OS_RESIDENCY_H_
