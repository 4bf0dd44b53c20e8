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

// mmap(2) and linux/mman.h; glibc has it in no header of its own.
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
  return "ask for less, free memory, or raise vm.max_map_count or what vm.overcommit_memory and "
         "vm.overcommit_ratio allow";
}

Status MapError(int error, uint64_t size_bytes) {
  // EAGAIN: mlockall(MCL_FUTURE) is in force, and the new mapping would pass RLIMIT_MEMLOCK
  // (mmap(2)).
  if (error == EAGAIN) {
    return Status(Code::kMemlockLimit, Retry::kAfterRemedy,
                  Format("cannot map %s: this process locks all that it maps (mlockall), and "
                         "RLIMIT_MEMLOCK is spent",
                         FormatBytes(size_bytes).c_str()),
                  "raise RLIMIT_MEMLOCK (ulimit -l), or do without mlockall(MCL_FUTURE)", error);
  }
  return ErrnoStatus(error, Format("cannot map %s", FormatBytes(size_bytes).c_str()),
                     AddressSpaceRemedy());
}

// Unmaps for good where the kernel lets us. It refuses only when the range is the middle of what it
// has merged into one mapping, and vm.max_map_count forbids two: then at least the pages go back.
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
      "cannot map %s in reserved huge pages: that takes %s pages of %s, of which %s of %s are "
      "available",
      FormatBytes(size_bytes).c_str(), FormatCount(wanted).c_str(),
      FormatBytes(pool.page_bytes).c_str(), FormatCount(available).c_str(),
      FormatCount(pool.total).c_str());
  if (available >= wanted) {
    return Status(Code::kExhausted, Retry::kAfterRemedy, message,
                  "raise the limit of this process's control group (hugetlb.<size>.rsvd.max) or "
                  "its RLIMIT_AS, or use "
                  "ordinary pages",
                  ENOMEM);
  }
  const uint64_t persistent = pool.total - std::min(pool.total, pool.surplus);
  return Status(Code::kExhausted, Retry::kAfterRemedy, message,
                Format("as root: %s, or use transparent huge pages or ordinary ones",
                       PoolSetting(pool, persistent + (wanted - available)).c_str()),
                ENOMEM);
}

Status NoSuchPool(uint64_t page_bytes) {
  const std::string size = page_bytes == 0 ? "a default size" : FormatBytes(page_bytes);
  return Status(
      Code::kUnsupported, Retry::kNever,
      Format("this kernel has no reserved huge pages of %s", size.c_str()),
      "take a size that /sys/kernel/mm/hugepages lists, transparent huge pages, or ordinary ones",
      EINVAL);
}

// Of what a descriptor stands for: reserved huge pages come in their own size. 0 with an errno
// where the kernel does not tell.
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
    case ESPIPE:  // of lseek(2): a pipe, a socket
      return Status(Code::kUnsupported, Retry::kNever, what + ": it stands for no memory",
                    "pass a DMA-BUF or a memfd; what its exporter does not map cannot be used here",
                    error);
    case ENOMEM:
      return ErrnoStatus(error, what, AddressSpaceRemedy());
    default:
      return ErrnoStatus(error, what, "pass an open DMA-BUF or memfd");
  }
}

}  // namespace

Result<Mapping> Mapping::Shared(const SharedOptions& options) {
  const std::string what =
      Format("cannot map %s of descriptor %d from byte %llu on",
             options.size_bytes == 0 ? "all" : FormatBytes(options.size_bytes).c_str(), options.fd,
             static_cast<unsigned long long>(options.offset_bytes));
  // A DMA-BUF tells its size to lseek(2), and to nothing else.
  const off_t end = ::lseek(options.fd, 0, SEEK_END);
  if (end < 0) return SharedMapError(errno, what);
  const uint64_t page_bytes = PageBytesOf(options.fd);
  if (page_bytes == 0) return SharedMapError(errno, what);
  if (options.offset_bytes % page_bytes != 0) {
    return InvalidArgument(what + ": the offset is no multiple of the page size",
                           Format("pass a multiple of %s", FormatBytes(page_bytes).c_str()));
  }
  const uint64_t whole = static_cast<uint64_t>(end);
  const uint64_t rest = whole - std::min(whole, options.offset_bytes);
  const uint64_t wanted = options.size_bytes == 0 ? rest : options.size_bytes;
  // Beyond the end, every access would be a SIGBUS (mmap(2)).
  if (wanted == 0 || wanted > rest) {
    return InvalidArgument(
        Format("%s: it has %s in all", what.c_str(), FormatBytes(whole).c_str()),
        "pass an offset and a size within it (ftruncate(2) gives a memfd its size)");
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
    return InvalidArgument("a mapping of 0 bytes was asked for", "ask for at least 1 byte");
  if (options.alignment_bytes != 0 && !IsPowerOfTwo(options.alignment_bytes)) {
    return InvalidArgument(
        Format("an alignment of %s was asked for", FormatBytes(options.alignment_bytes).c_str()),
        "ask for a power of two, or 0");
  }
  const std::optional<uint64_t> size = CheckedAlignUp(options.size_bytes, page_bytes);
  const std::optional<uint64_t> reach =
      size ? CheckedAdd(*size, alignment - page_bytes) : std::nullopt;
  if (!reach || *reach > PTRDIFF_MAX) return TooLarge(options.size_bytes);

  // Without MAP_NORESERVE: what is closed is not counted as memory that may be wanted, and what
  // Open opens then is (mmap_region and mprotect_fixup of the kernel count writable pages).
  const int protection = options.closed ? PROT_NONE : kProtection;
  void* mapped = ::mmap(nullptr, *reach, protection, kFlags, -1, 0);
  if (mapped == MAP_FAILED) return MapError(errno, *size);
  // The kernel aligns to its own liking (to huge pages only since 6.7): keep the aligned part and
  // give back the rest.
  std::byte* start = static_cast<std::byte*>(mapped);
  const uint64_t head = -reinterpret_cast<uintptr_t>(mapped) & (alignment - 1);
  UnmapRange(start, head);
  UnmapRange(start + head + *size, *reach - head - *size);
  return Mapping(start + head, *size, page_bytes, false);
}

Result<Mapping> Mapping::Hugetlb(const HugetlbOptions& options) {
  if (options.size_bytes == 0)
    return InvalidArgument("a mapping of 0 bytes was asked for", "ask for at least 1 byte");
  if (options.page_bytes != 0 && !IsPowerOfTwo(options.page_bytes)) {
    return InvalidArgument(
        Format("huge pages of %s were asked for", FormatBytes(options.page_bytes).c_str()),
        "ask for a power of two, or 0 for the default size");
  }
  const std::optional<HugetlbPool> pool =
      options.page_bytes == 0 ? ReadDefaultHugetlbPool() : ReadHugetlbPool(options.page_bytes);
  if (!pool) return NoSuchPool(options.page_bytes);
  const std::optional<uint64_t> size = CheckedAlignUp(options.size_bytes, pool->page_bytes);
  if (!size || *size > PTRDIFF_MAX) return TooLarge(options.size_bytes);

  // Without MAP_NORESERVE the kernel promises the pages now or fails now. With it, a pool run dry
  // would be a SIGBUS at first touch (mmap(2)), and closed pages are not to be promised.
  const int size_flag =
      static_cast<int>(static_cast<unsigned>(std::countr_zero(pool->page_bytes)) << MAP_HUGE_SHIFT);
  const int flags = kFlags | MAP_HUGETLB | size_flag | (options.closed ? MAP_NORESERVE : 0);
  const int protection = options.closed ? PROT_NONE : kProtection;
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
  Decommit(offset, size);  // it may have stopped between two parts that the kernel keeps apart
  return MapError(error, size);
}

void Mapping::Decommit(uint64_t offset, uint64_t size) {
  // Not by mapping anew: where that fails it may leave a hole, which is anybody's. EINVAL for
  // reserved huge pages up to 5.17, and for locked ones: those go with the mapping.
  (void)::madvise(data_ + offset, size, MADV_DONTNEED);
  (void)::mprotect(data_ + offset, size, PROT_NONE);
}

Status Mapping::DontFork() {
  if (data_ == nullptr) return OkStatus();
  if (::madvise(data_, size_bytes_, MADV_DONTFORK) != 0) {
    const int error = errno;
    return ErrnoStatus(error,
                       Format("cannot keep %s from fork children (MADV_DONTFORK)",
                              FormatBytes(size_bytes_).c_str()),
                       "raise vm.max_map_count, or allow madvise in this process's sandbox");
  }
  return OkStatus();
}

Status Mapping::AdviseHugePages(HugePageAdvice advice) {
  if (data_ == nullptr) return OkStatus();
  if (hugetlb_) {
    return Status(Code::kUnsupported, Retry::kNever,
                  "a mapping of reserved huge pages takes no advice on huge pages",
                  "advise only mappings made by Mapping::Anonymous", EINVAL);
  }
  const bool use = advice == HugePageAdvice::kUse;
  if (::madvise(data_, size_bytes_, use ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0) return OkStatus();
  const int error = errno;
  if (error == EINVAL) {
    // A kernel without transparent huge pages knows neither advice (madvise(2)), so there is
    // nothing to avoid.
    if (!use) return OkStatus();
    return Status(Code::kUnsupported, Retry::kNever, "this kernel has no transparent huge pages",
                  "use reserved huge pages (hugetlb) or ordinary ones", error);
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
