// Residency: what a range of memory really got, asked from the kernel: how many bytes are resident,
// how many of them on huge pages, in what size of page.
//
// Ranges need not be aligned: a page counts with the bytes it shares with the range. Answers are
// true when given, and another thread, or the kernel, may change them at once.
//
// Threading: any thread. All make system calls and read /proc: keep them off the data path.
//
//   ASSIGN_OR_RETURN(const uint64_t huge_bytes, HugeBytes(mapping.range()));
#ifndef MOORING_CPP_OS_RESIDENCY_H_
#define MOORING_CPP_OS_RESIDENCY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpp/base/result.h"

namespace mooring {

// Bytes that are in memory now (mincore(2)). Of file-backed memory of others it may report all
// (since Linux 5.2). EXHAUSTED when part of the range is not mapped.
Result<uint64_t> ResidentBytes(std::span<const std::byte> range);

// Bytes that are mapped by huge pages now, transparent or reserved ones. Exact where the kernel can
// tell ranges (ioctl PAGEMAP_SCAN, Linux 6.7). Else from /proc/self/smaps, which counts per
// mapping: a mapping that reaches past the range may count up to the whole of its share. There,
// pages that automatic NUMA balancing is sampling are not counted at all (seen on 6.1, on two
// nodes). UNSUPPORTED without /proc.
Result<uint64_t> HugeBytes(std::span<const std::byte> range);

// The largest size of page that a mapping in the range is made of (KernelPageSize of
// /proc/self/smaps): the ordinary size, transparent huge pages or not, or that of reserved huge
// pages. NOT_FOUND when nothing is mapped there, UNSUPPORTED without /proc.
Result<uint64_t> KernelPageBytes(std::span<const std::byte> range);

namespace residency_internal {

// HugeBytes by either way alone, for tests.
Result<uint64_t> HugeBytesFromPagemap(std::span<const std::byte> range);
Result<uint64_t> HugeBytesFromSmaps(std::span<const std::byte> range);

}  // namespace residency_internal

}  // namespace mooring

#endif  // MOORING_CPP_OS_RESIDENCY_H_
