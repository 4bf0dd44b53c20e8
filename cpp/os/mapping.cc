#include "cpp/os/mapping.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/pages.h"

// mmap(2) and linux/mman.h; glibc does not define it.
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

namespace mooring {
namespace {

constexpr int kProtection = PROT_READ | PROT_WRITE;
constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;

Status TooLarge(uint64_t size_bytes) {
  return InvalidArgument(
      Format("no address space holds a mapping of %s", FormatBytes(size_bytes).c_str()),
      "ask for less memory");
}

std::string AddressSpaceRemedy() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    return Format("ask for less, or raise RLIMIT_AS (ulimit -v), which is %s here",
                  FormatBytes(limit.rlim_cur).c_str());
  }
  return "ask for less, free memory, raise vm.max_map_count, or allow more with "
         "vm.overcommit_memory and vm.overcommit_ratio";
}

Status MapError(int error, uint64_t size_bytes) {
  // EAGAIN: mlockall(MCL_FUTURE) is active, and the new mapping would exceed RLIMIT_MEMLOCK
  // (mmap(2)).
  if (error == EAGAIN) {
    return Status(Code::kMemlockLimit, Retry::kAfterRemedy,
                  Format("cannot map %s: this process locks all its mappings (mlockall), and "
                         "RLIMIT_MEMLOCK does not allow more",
                         FormatBytes(size_bytes).c_str()),
                  "raise RLIMIT_MEMLOCK (ulimit -l), or do not use mlockall(MCL_FUTURE)", error);
  }
  return ErrnoStatus(error, Format("cannot map %s", FormatBytes(size_bytes).c_str()),
                     AddressSpaceRemedy());
}

// Unmaps the range. The kernel refuses this only if the range is in the middle of a merged mapping
// and vm.max_map_count does not allow a split. In that case at least the pages are released.
void UnmapRange(std::byte* data, uint64_t size_bytes) {
  if (size_bytes == 0 || ::munmap(data, size_bytes) == 0) return;
  (void)::madvise(data, size_bytes, MADV_DONTNEED);
}

std::string PoolSetting(const HugetlbPool& pool, uint64_t pages) {
  const std::optional<HugetlbPool> usual = ReadDefaultHugetlbPool();
  if (usual && usual->page_bytes == pool.page_bytes) {
    return Format("sysctl vm.nr_hugepages=%llu", static_cast<unsigned long long>(pages));
  }
  return Format("echo %llu > /sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
                static_cast<unsigned long long>(pages),
                static_cast<unsigned long long>(pool.page_bytes >> 10));
}

Status PoolExhausted(const HugetlbPool& pool, uint64_t size_bytes) {
  const uint64_t wanted = size_bytes / pool.page_bytes;
  const uint64_t available = pool.Available();
  const std::string message = Format(
      "cannot map %s in reserved huge pages: %s pages of %s are needed, and %s of %s are "
      "available",
      FormatBytes(size_bytes).c_str(), FormatCount(wanted).c_str(),
      FormatBytes(pool.page_bytes).c_str(), FormatCount(available).c_str(),
      FormatCount(pool.total).c_str());
  if (available >= wanted) {
    return Status(Code::kExhausted, Retry::kAfterRemedy, message,
                  "raise the limit of this process's control group (hugetlb.<size>.rsvd.max) or "
                  "its RLIMIT_AS, or use base pages",
                  ENOMEM);
  }
  const uint64_t persistent = pool.total - std::min(pool.total, pool.surplus);
  return Status(Code::kExhausted, Retry::kAfterRemedy, message,
                Format("as root: %s, or use transparent huge pages or base pages",
                       PoolSetting(pool, persistent + (wanted - available)).c_str()),
                ENOMEM);
}

Status NoSuchPool(uint64_t page_bytes) {
  const std::string size = page_bytes == 0 ? "a default size" : FormatBytes(page_bytes);
  return Status(
      Code::kUnsupported, Retry::kNever,
      Format("this kernel has no reserved huge pages of %s", size.c_str()),
      "use a size that /sys/kernel/mm/hugepages lists, transparent huge pages, or base pages",
      EINVAL);
}

// The page size of a descriptor's memory: that of its reserved huge pages, else of base pages. 0,
// with an errno, if fstatfs(2) fails.
uint64_t PageBytesOf(int fd) {
  struct statfs filesystem = {};
  if (::fstatfs(fd, &filesystem) != 0) return 0;
  return filesystem.f_type == HUGETLBFS_MAGIC ? static_cast<uint64_t>(filesystem.f_bsize)
                                              : PageBytes();
}

Status SharedMapError(int error, const std::string& what) {
  switch (error) {
    case EACCES:
    case EPERM:
      return ErrnoStatus(error, what,
                         "open it for reading and writing (O_RDWR, without write seals)");
    case ENODEV:
    case ESPIPE:  // from lseek(2): a pipe, a socket
      return Status(Code::kUnsupported, Retry::kNever, what + ": it is not memory",
                    "pass a memfd, or a DMA-BUF whose exporter allows mmap", error);
    case ENOMEM:
      return ErrnoStatus(error, what, AddressSpaceRemedy());
    default:
      return ErrnoStatus(error, what, "pass an open DMA-BUF or memfd");
  }
}

}  // namespace

Result<Mapping> Mapping::Shared(const SharedOptions& options) {
  const std::string what =
      Format("cannot map %s of descriptor %d at offset %s",
             options.size_bytes == 0 ? "all" : FormatBytes(options.size_bytes).c_str(), options.fd,
             FormatBytes(options.offset_bytes).c_str());
  // Only lseek(2) reports the size of a DMA-BUF.
  const off_t end = ::lseek(options.fd, 0, SEEK_END);
  if (end < 0) return SharedMapError(errno, what);
  const uint64_t page_bytes = PageBytesOf(options.fd);
  if (page_bytes == 0) return SharedMapError(errno, what);
  if (options.offset_bytes % page_bytes != 0) {
    return InvalidArgument(what + ": the offset is not a multiple of the page size",
                           Format("pass a multiple of %s", FormatBytes(page_bytes).c_str()));
  }
  const uint64_t whole = static_cast<uint64_t>(end);
  const uint64_t rest = whole - std::min(whole, options.offset_bytes);
  const uint64_t wanted = options.size_bytes == 0 ? rest : options.size_bytes;
  // An access beyond the end would cause a SIGBUS (mmap(2)).
  if (wanted == 0 || wanted > rest) {
    return InvalidArgument(
        Format("%s: its size is %s", what.c_str(), FormatBytes(whole).c_str()),
        "pass an offset and a size within it (ftruncate(2) sets the size of a memfd)");
  }
  const std::optional<uint64_t> size = CheckedAlignUp(wanted, page_bytes);
  if (!size || *size > PTRDIFF_MAX) return TooLarge(wanted);
  void* mapped = ::mmap(nullptr, *size, kProtection, MAP_SHARED, options.fd,
                        static_cast<off_t>(options.offset_bytes));
  if (mapped == MAP_FAILED) return SharedMapError(errno, what);
  return Mapping(static_cast<std::byte*>(mapped), *size, page_bytes, page_bytes != PageBytes());
}

Result<Mapping> Mapping::Anonymous(const AnonymousOptions& options) {
  const uint64_t page_bytes = PageBytes();
  const uint64_t alignment =
      options.alignment_bytes < page_bytes ? page_bytes : options.alignment_bytes;
  if (options.size_bytes == 0)
    return InvalidArgument("the size of the mapping is 0 bytes", "ask for at least 1 byte");
  if (options.alignment_bytes != 0 && !IsPowerOfTwo(options.alignment_bytes)) {
    return InvalidArgument(Format("the alignment is %s, which is not a power of two",
                                  FormatBytes(options.alignment_bytes).c_str()),
                           "ask for a power of two, or 0");
  }
  const std::optional<uint64_t> size = CheckedAlignUp(options.size_bytes, page_bytes);
  const std::optional<uint64_t> reach =
      size ? CheckedAdd(*size, alignment - page_bytes) : std::nullopt;
  if (!reach || *reach > PTRDIFF_MAX) return TooLarge(options.size_bytes);

  // Without MAP_NORESERVE: the kernel counts only writable private pages as committed memory
  // (mmap_region and mprotect_fixup), so it counts reserve_only pages when Commit is called.
  const int protection = options.reserve_only ? PROT_NONE : kProtection;
  void* mapped = ::mmap(nullptr, *reach, protection, kFlags, -1, 0);
  if (mapped == MAP_FAILED) return MapError(errno, *size);
  // The kernel chooses the alignment (it aligns to huge pages only since 6.7): keep the aligned
  // part and unmap the rest.
  std::byte* start = static_cast<std::byte*>(mapped);
  const uint64_t head = -reinterpret_cast<uintptr_t>(mapped) & (alignment - 1);
  UnmapRange(start, head);
  UnmapRange(start + head + *size, *reach - head - *size);
  return Mapping(start + head, *size, page_bytes, false);
}

Result<Mapping> Mapping::Hugetlb(const HugetlbOptions& options) {
  if (options.size_bytes == 0)
    return InvalidArgument("the size of the mapping is 0 bytes", "ask for at least 1 byte");
  if (options.page_bytes != 0 && !IsPowerOfTwo(options.page_bytes)) {
    return InvalidArgument(Format("the size of huge pages is %s, which is not a power of two",
                                  FormatBytes(options.page_bytes).c_str()),
                           "ask for a power of two, or 0 for the default size");
  }
  const std::optional<HugetlbPool> pool =
      options.page_bytes == 0 ? ReadDefaultHugetlbPool() : ReadHugetlbPool(options.page_bytes);
  if (!pool) return NoSuchPool(options.page_bytes);
  const std::optional<uint64_t> size = CheckedAlignUp(options.size_bytes, pool->page_bytes);
  if (!size || *size > PTRDIFF_MAX) return TooLarge(options.size_bytes);

  // Without MAP_NORESERVE the kernel reserves the pages in this call, or fails. With it, an empty
  // pool causes a SIGBUS at the first fault (mmap(2)); only reserve_only mappings use it.
  const int size_flag =
      static_cast<int>(static_cast<unsigned>(std::countr_zero(pool->page_bytes)) << MAP_HUGE_SHIFT);
  const int flags = kFlags | MAP_HUGETLB | size_flag | (options.reserve_only ? MAP_NORESERVE : 0);
  const int protection = options.reserve_only ? PROT_NONE : kProtection;
  void* mapped = ::mmap(nullptr, *size, protection, flags, -1, 0);
  if (mapped == MAP_FAILED) {
    const int error = errno;
    if (error == ENOMEM) return PoolExhausted(*pool, *size);
    if (error == EINVAL || error == ENOSYS || error == ENODEV) return NoSuchPool(pool->page_bytes);
    return MapError(error, *size);
  }
  return Mapping(static_cast<std::byte*>(mapped), *size, pool->page_bytes, true);
}

Status Mapping::Commit(uint64_t offset, uint64_t size) {
  if (hugetlb_) {
    const std::optional<HugetlbPool> pool = ReadHugetlbPool(page_bytes_);
    if (!pool) return NoSuchPool(page_bytes_);
    if (pool->Available() < size / page_bytes_) return PoolExhausted(*pool, size);
  }
  if (::mprotect(data_ + offset, size, kProtection) == 0) return OkStatus();
  const int error = errno;
  Decommit(offset, size);  // mprotect(2) may have changed a part of the range
  return MapError(error, size);
}

void Mapping::Decommit(uint64_t offset, uint64_t size) {
  // A new mmap(2) over the range is not used: if it fails it may leave a hole, where other threads
  // may map memory. EINVAL for reserved huge pages up to 5.17 and for locked pages: they are
  // released with the mapping.
  (void)::madvise(data_ + offset, size, MADV_DONTNEED);
  (void)::mprotect(data_ + offset, size, PROT_NONE);
}

Status Mapping::DontFork() {
  if (data_ == nullptr) return OkStatus();
  if (::madvise(data_, size_bytes_, MADV_DONTFORK) != 0) {
    const int error = errno;
    return ErrnoStatus(error,
                       Format("cannot exclude %s from fork children (MADV_DONTFORK)",
                              FormatBytes(size_bytes_).c_str()),
                       "raise vm.max_map_count, or allow madvise in this process's sandbox");
  }
  return OkStatus();
}

Status Mapping::AdviseHugePages(HugePageAdvice advice) {
  if (data_ == nullptr) return OkStatus();
  if (hugetlb_) {
    return Status(Code::kUnsupported, Retry::kNever,
                  "a mapping of reserved huge pages does not accept advice on huge pages",
                  "advise only mappings made by Mapping::Anonymous", EINVAL);
  }
  const bool use = advice == HugePageAdvice::kUse;
  if (::madvise(data_, size_bytes_, use ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0) return OkStatus();
  const int error = errno;
  if (error == EINVAL) {
    // A kernel without transparent huge pages knows neither advice (madvise(2)), so it has no huge
    // pages to avoid.
    if (!use) return OkStatus();
    return Status(Code::kUnsupported, Retry::kNever, "this kernel has no transparent huge pages",
                  "use reserved huge pages (hugetlb) or base pages", error);
  }
  return ErrnoStatus(error,
                     Format("cannot advise huge pages for %s", FormatBytes(size_bytes_).c_str()),
                     "raise vm.max_map_count, or allow madvise in this process's sandbox");
}

void Mapping::Swap(Mapping& other) {
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  std::swap(page_bytes_, other.page_bytes_);
  std::swap(hugetlb_, other.hugetlb_);
}

void Mapping::Unmap() {
  if (data_ != nullptr) UnmapRange(data_, size_bytes_);
}

}  // namespace mooring
