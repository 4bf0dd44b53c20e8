// Mapping: the single owner of a range of private anonymous memory, or of the shared memory of a
// descriptor (mmap(2)). Its destructor unmaps the range.
//
// It does not know other users of the pages: a user that lets the kernel pin them keeps the Mapping
// until the kernel has released them. Mapping causes no page faults; see prefault.h.
//
// Threading: one thread at a time; any thread may access the memory itself.
//
//   ASSIGN_OR_RETURN(Mapping mapping,
//                    Mapping::Anonymous({.size_bytes = 64 << 20, .alignment_bytes = 2 << 20}));
//   RETURN_IF_ERROR(mapping.AdviseHugePages(HugePageAdvice::kUse));
//   RETURN_IF_ERROR(mapping.DontFork());
//   std::byte* first = mapping.data();
#ifndef MOORING_CPP_OS_MAPPING_H_
#define MOORING_CPP_OS_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpp/base/result.h"
#include "cpp/base/status.h"

namespace mooring {

enum class HugePageAdvice {
  kUse,    // MADV_HUGEPAGE: transparent huge pages, also if the system mode is "madvise"
  kAvoid,  // MADV_NOHUGEPAGE: base pages, also if the system mode is "always"
};

class Mapping {
 public:
  struct AnonymousOptions {
    uint64_t size_bytes = 0;  // not 0; rounded up to whole pages
    // A power of two; 0 = a page. 2 MiB lets transparent huge pages fill the range.
    uint64_t alignment_bytes = 0;
    bool reserve_only = false;  // see below
  };
  struct HugetlbOptions {
    uint64_t size_bytes = 0;    // not 0; rounded up to whole huge pages
    uint64_t page_bytes = 0;    // 0 = the system's default size of huge pages
    bool reserve_only = false;  // see below
  };

  struct SharedOptions {
    int fd = -1;                // readable and writable; not kept
    uint64_t offset_bytes = 0;  // a multiple of the page size
    uint64_t size_bytes = 0;    // 0 = all after the offset
  };

  // With reserve_only, the mapping is address space only (PROT_NONE): until Commit it uses no
  // memory, and the kernel reserves none for it.
  //
  // Base pages, or transparent huge pages after AdviseHugePages. INVALID_ARGUMENT, EXHAUSTED.
  static Result<Mapping> Anonymous(const AnonymousOptions& options);
  // Reserved huge pages. The kernel reserves the pages in this call and takes them from the pool at
  // the first fault. EXHAUSTED, with the sysctl value to set, if the pool has too few; UNSUPPORTED
  // if the kernel has no such page size.
  static Result<Mapping> Hugetlb(const HugetlbOptions& options);
  // The memory of `fd`, a DMA-BUF or a memfd, not a copy of it. INVALID_ARGUMENT if offset and size
  // do not fit it, PERMISSION if it is not both readable and writable, UNSUPPORTED if it cannot be
  // mapped, EXHAUSTED.
  static Result<Mapping> Shared(const SharedOptions& options);

  constexpr Mapping() = default;  // empty
  Mapping(Mapping&& other) noexcept { Swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    Mapping taken(static_cast<Mapping&&>(other));
    Swap(taken);
    return *this;
  }
  ~Mapping() { Unmap(); }

  // Makes [offset, offset + size), whole pages of a reserve_only mapping, readable and writable. A
  // failure changes nothing. EXHAUSTED: no memory, or too few reserved huge pages. The kernel does
  // not reserve huge pages here, so prefault them before another process takes them.
  Status Commit(uint64_t offset, uint64_t size);
  // Undoes Commit: releases the pages as far as the kernel allows, and keeps the address range.
  void Decommit(uint64_t offset, uint64_t size);

  std::byte* data() const { return data_; }
  uint64_t size_bytes() const { return size_bytes_; }
  // The page size of the mapping: that of base pages, or of its reserved huge pages.
  uint64_t page_bytes() const { return page_bytes_; }
  bool hugetlb() const { return hugetlb_; }
  std::span<std::byte> range() const { return {data_, static_cast<size_t>(size_bytes_)}; }

  // Excludes the range from fork children (MADV_DONTFORK). Otherwise copy-on-write could move pages
  // of the parent away from the kernel's pins.
  Status DontFork();
  // Drops the range without unmapping it: for a fork child, which did not inherit it (DontFork),
  // and may have other memory there.
  void Forget() {
    data_ = nullptr;
    size_bytes_ = 0;
  }
  // Applies to the whole range. UNSUPPORTED in a kernel without transparent huge pages, and for a
  // hugetlb range.
  Status AdviseHugePages(HugePageAdvice advice);

 private:
  Mapping(std::byte* data, uint64_t size_bytes, uint64_t page_bytes, bool hugetlb)
      : data_(data), size_bytes_(size_bytes), page_bytes_(page_bytes), hugetlb_(hugetlb) {}
  void Swap(Mapping& other);
  void Unmap();

  std::byte* data_ = nullptr;
  uint64_t size_bytes_ = 0;
  uint64_t page_bytes_ = 0;
  bool hugetlb_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_OS_MAPPING_H_
