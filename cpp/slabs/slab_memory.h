// SlabMemory: the pages of a slab, which are mapped, placed and prefaulted here, or imported, or
// adopted from the caller. It reports which pages it got, and why not better ones.
//
// Kinds of pages. NEVER uses base pages. REQUIRE uses reserved huge pages (hugetlb), else
// transparent huge pages, and verifies them after the prefault; otherwise it fails. AUTO uses huge
// pages if the slab fills at least one and the memlock limit allows its pins. Pinned huge pages are
// charged whole (measured, 5.10 to 7.0), so if they exceed the limit base pages are better, because
// a prefix of them fits. Reserved pages are scarce and reserved for a purpose, so AUTO uses them
// only if they are free and little of the last page is wasted. It also uses them only if it
// prefaults them, because a reserved page that turns out not to be available (control group, NUMA
// node) causes a SIGBUS at first use.
//
// Growth. Memory that can grow is mapped inside a range of the maximum size. The rest of the range
// is decommitted, which is address space only. All growth uses the same kind of pages, so AUTO
// chooses by the maximum size. Prepare commits, places and prefaults more; Publish adds it to
// range(), Discard decommits it.
//
// Lifecycle: Create, Import or Adopt. A Create that fails undoes all its changes. The destructor
// unmaps what was mapped here. In a fork child it does not, because the child never inherited the
// range and other memory may be mapped there. A user that lets the kernel pin the pages keeps this
// object until the kernel has released them.
//
// Threading: immutable after creation, except for growth: Prepare is for one thread at a time, and
// no other call may run during Publish and Discard.
//
//   ASSIGN_OR_RETURN(auto memory, SlabMemory::Create(options, 64 << 20, 64 << 20));
//   std::byte* first = memory->range().data();
#ifndef MOORING_CPP_SLABS_SLAB_MEMORY_H_
#define MOORING_CPP_SLABS_SLAB_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cpp/base/result.h"
#include "cpp/base/status.h"
#include "cpp/os/mapping.h"
#include "cpp/os/process.h"
#include "cpp/slabs/slab_options.h"

namespace mooring {

class SlabMemory {
 public:
  // The state of the pages now, as the kernel reports it.
  struct Pages {
    PageKind kind = PageKind::kOrdinary;
    uint64_t page_bytes = 0;      // of the largest pages
    uint64_t huge_bytes = 0;      // bytes of the range that are on huge pages
    uint64_t resident_bytes = 0;  // bytes of the range that are in memory
    int32_t numa_node = -1;       // of the first page; -1 = not in memory
  };

  // Maps, places and prefaults `total_bytes` according to `options`, whose sizes are not read. The
  // memory can grow to `total_bytes_max`. EXHAUSTED (no memory; no huge pages and REQUIRE),
  // NOT_FOUND (NUMA node), UNSUPPORTED (no NUMA, no such pages in this kernel).
  static Result<std::unique_ptr<SlabMemory>> Create(const SlabOptions& options,
                                                    uint64_t total_bytes, uint64_t total_bytes_max);
  // Uses the caller's memory, which is not changed. `size_bytes` is not 0.
  static std::unique_ptr<SlabMemory> Adopt(std::byte* data, uint64_t size_bytes);
  // Maps the memory of `descriptor`; `size_bytes` 0 means all of it after the offset. Errors: those
  // of Mapping::Shared.
  static Result<std::unique_ptr<SlabMemory>> Import(int descriptor, uint64_t offset_bytes,
                                                    uint64_t size_bytes);
  ~SlabMemory();
  SlabMemory(const SlabMemory&) = delete;
  SlabMemory& operator=(const SlabMemory&) = delete;

  // Commits pages as Create does, up to `total_bytes`, which is more than range() and at most
  // total_bytes_max. A failure undoes its changes. Errors: those of Create.
  Status Prepare(uint64_t total_bytes);
  void Publish();
  void Discard();

  std::span<std::byte> range() const { return range_; }
  bool adopted() const { return adopted_; }
  bool created() const { return total_bytes_max_ != 0; }  // by Create
  // The most RLIMIT_MEMLOCK that one pinned byte can cost: the size of a huge page if there are
  // huge pages or may be later.
  uint64_t page_bytes() const { return page_bytes_; }
  // Why AUTO did not use the best kind of pages; "" if it did.
  const std::string& note() const { return note_; }
  // Makes system calls and reads /proc: not for the data path.
  Pages ReadPages() const;

 private:
  SlabMemory() = default;

  Status MapBasePages(const SlabOptions& options);
  Status MapAuto(const SlabOptions& options);
  Status MapRequired(const SlabOptions& options);
  bool AutoUsesHugetlb(const SlabOptions& options);
  // Why AUTO does not use reserved huge pages; "" if it does.
  std::string HugetlbObstacle(const SlabOptions& options) const;
  bool AutoUsesTransparent(const SlabOptions& options);
  // Maps pages of `kind`, excludes them from fork children, places and prefaults them. A failure
  // undoes this.
  Status MapAndPrefault(const SlabOptions& options, PageKind kind);
  Status Map(PageKind kind);
  Status Bind(const SlabOptions& options);
  // Commits `piece` if the memory can grow, and prefaults it if the options ask for that.
  Status BindAndPrefault(const SlabOptions& options, std::span<std::byte> piece);
  Status VerifyNode(uint32_t node, std::span<const std::byte> piece) const;
  Status VerifyHuge(std::span<const std::byte> committed, uint64_t wanted) const;
  void Note(std::string_view text);

  // The committed part of the mapping, which begins at its start, for a slab of `total_bytes`.
  std::span<std::byte> Committed(uint64_t total_bytes) const;
  bool is_growable() const { return total_bytes_max_ > total_bytes_; }

  const ProcessToken process_ = CurrentProcess();
  SlabOptions options_;
  uint64_t total_bytes_ = 0;  // at creation
  uint64_t total_bytes_max_ = 0;
  Mapping mapping_;
  std::span<std::byte> range_;
  bool adopted_ = false;
  uint64_t page_bytes_ = 0;
  PageKind kind_ = PageKind::kOrdinary;  // of the pages mapped here
  std::string note_;
  // Set by Prepare, used by Publish or Discard.
  uint64_t prepared_bytes_ = 0;
  std::string prepared_note_;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_MEMORY_H_
