// Mapping: the one owner of a range of private anonymous memory, or of the shared memory that a
// descriptor stands for (mmap(2)); unmaps it.
//
// It knows nothing of who else uses the pages: whoever lets the kernel pin them keeps the Mapping
// alive until the kernel has let go. Mapping touches no page; see prefault.h.
//
// Threading: one thread at a time; the memory itself takes any.
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
  kUse,    // MADV_HUGEPAGE: transparent huge pages, also where they are given only on request
  kAvoid,  // MADV_NOHUGEPAGE: ordinary pages, also where the system gives huge ones to everyone
};

class Mapping {
 public:
  struct AnonymousOptions {
    uint64_t size_bytes = 0;  // not 0; rounded up to whole pages
    // A power of two; 0 = a page. 2 MiB lets transparent huge pages fill the range.
    uint64_t alignment_bytes = 0;
    bool closed = false;  // see Open
  };
  struct HugetlbOptions {
    uint64_t size_bytes = 0;  // not 0; rounded up to whole huge pages
    uint64_t page_bytes = 0;  // 0 = the system's default size of huge pages
    bool closed = false;      // see Open
  };

  struct SharedOptions {
    int fd = -1;                // readable and writable; not kept
    uint64_t offset_bytes = 0;  // a multiple of the page size
    uint64_t size_bytes = 0;    // 0 = all from the offset on
  };

  // One that is made closed is address space alone (PROT_NONE), which costs no memory and is
  // promised none, until Open.
  //
  // Pages of the ordinary size, or what AdviseHugePages makes of them. INVALID_ARGUMENT, EXHAUSTED.
  static Result<Mapping> Anonymous(const AnonymousOptions& options);
  // Reserved huge pages. The pages are promised at once and taken when touched; EXHAUSTED when the
  // pool cannot promise them, with the number to set; UNSUPPORTED when the kernel has no such page
  // size.
  static Result<Mapping> Hugetlb(const HugetlbOptions& options);
  // What `fd` stands for, not a copy of it: a DMA-BUF, a memfd. INVALID_ARGUMENT where offset and
  // size do not fit it, PERMISSION where it is not both readable and writable, UNSUPPORTED where it
  // cannot be mapped, EXHAUSTED.
  static Result<Mapping> Shared(const SharedOptions& options);

  constexpr Mapping() = default;  // of nothing
  Mapping(Mapping&& other) noexcept { Swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    Mapping taken(static_cast<Mapping&&>(other));
    Swap(taken);
    return *this;
  }
  ~Mapping() { Unmap(); }

  // Makes [offset, offset + size) of a closed mapping, whole pages, readable and writable. A
  // failure has changed nothing. EXHAUSTED: no memory, or not so many reserved huge pages; those
  // are promised no further, so touch them at once.
  Status Commit(uint64_t offset, uint64_t size);
  // Undoes Open: the pages are given back as far as the kernel lets us, and the place stays ours.
  void Decommit(uint64_t offset, uint64_t size);

  std::byte* data() const { return data_; }
  uint64_t size_bytes() const { return size_bytes_; }
  // What the range is mapped in: the ordinary page size, or that of its reserved huge pages.
  uint64_t page_bytes() const { return page_bytes_; }
  bool hugetlb() const { return hugetlb_; }
  std::span<std::byte> range() const { return {data_, static_cast<size_t>(size_bytes_)}; }

  // A fork child will not have the range at all: no copy-on-write can then move pages away from
  // under the kernel's pins in the parent (MADV_DONTFORK).
  Status DontFork();
  // Gives the range up without unmapping it: for a fork child, which never had it (DontFork), and
  // may have something else there.
  void Forget() {
    data_ = nullptr;
    size_bytes_ = 0;
  }
  // For the whole range. UNSUPPORTED in a kernel without transparent huge pages, and for a hugetlb
  // range.
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
