// SlabMemory: the pages of a slab: mapped, placed and touched here, imported, or adopted from the
// caller. It says what pages it got, and why those are not the ones that would have been best.
//
// Which pages. NEVER takes ordinary ones. REQUIRE takes reserved huge pages (hugetlb) or else
// transparent ones, each proven after touching, or fails. AUTO takes huge pages for a slab that
// fills at least one and whose pins the memlock limit allows: pinned huge pages are charged whole
// (measured, 5.10 to 7.0), so where they pass the limit ordinary pages are better, for of these a
// prefix fits. Reserved pages are scarce and somebody's plan, so AUTO takes them only where they
// are free and little of the last one is wasted; and only when it touches them, since a reserved
// page that is not to be had after all (control group, NUMA node) is a SIGBUS at first use.
//
// Growth. Memory that may grow is mapped inside a range of the largest size, the rest of which is
// closed: address space alone. It keeps its kind of pages, so AUTO chooses by what it may become.
// Prepare opens, places and touches more; Publish makes that part of range(), Discard closes it
// again.
//
// Lifecycle: Create, Import or Adopt. A Create that fails has undone all it did. The destructor
// unmaps what was mapped here, but not in a fork child, where the range was never inherited and may
// be something else's by now. Whoever lets the kernel pin the pages keeps this object until the
// kernel has let go.
//
// Threading: immutable after creation, but for growth: Prepare is for one thread at a time, and
// with Publish and Discard no other call may run.
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
  // What the kernel says of the pages at this moment.
  struct Pages {
    PageKind kind = PageKind::kOrdinary;
    uint64_t page_bytes = 0;      // the largest there are
    uint64_t huge_bytes = 0;      // of the range, on huge pages
    uint64_t resident_bytes = 0;  // of the range
    int32_t numa_node = -1;       // of the first page; -1 = not in memory
  };

  // Maps, places and touches `total_bytes`, as `options` say; its sizes are not read. It can grow
  // to `total_bytes_max`. EXHAUSTED (no memory; no huge pages and REQUIRE), NOT_FOUND (NUMA node),
  // UNSUPPORTED (no NUMA, no such pages in this kernel).
  static Result<std::unique_ptr<SlabMemory>> Create(const SlabOptions& options,
                                                    uint64_t total_bytes, uint64_t total_bytes_max);
  // The caller's memory, of which nothing is changed. `size_bytes` is not 0.
  static std::unique_ptr<SlabMemory> Adopt(std::byte* data, uint64_t size_bytes);
  // What `descriptor` stands for, mapped here; `size_bytes` 0 is all from the offset on. Errors:
  // Mapping::Shared.
  static Result<std::unique_ptr<SlabMemory>> Import(int descriptor, uint64_t offset_bytes,
                                                    uint64_t size_bytes);
  ~SlabMemory();
  SlabMemory(const SlabMemory&) = delete;
  SlabMemory& operator=(const SlabMemory&) = delete;

  // Pages for `total_bytes` in all, more than range() and no more than total_bytes_max: as Create
  // would have had them. A failure has undone it. Errors of Create.
  Status Prepare(uint64_t total_bytes);
  void Publish();
  void Discard();

  std::span<std::byte> range() const { return range_; }
  bool adopted() const { return adopted_; }
  bool created() const { return total_bytes_max_ != 0; }  // by Create
  // What one pinned byte can cost of memlock: the size of huge pages where there are any, or may
  // come to be.
  uint64_t page_bytes() const { return page_bytes_; }
  // Why AUTO did not get what it would have liked; "" if it did.
  const std::string& note() const { return note_; }
  // Makes system calls and reads /proc: not for the data path.
  Pages ReadPages() const;

 private:
  SlabMemory() = default;

  Status MapOrdinary(const SlabOptions& options);
  Status MapAuto(const SlabOptions& options);
  Status MapRequired(const SlabOptions& options);
  bool AutoTakesHugetlb(const SlabOptions& options);
  // Why AUTO shall not take reserved huge pages; "" if it shall.
  std::string HugetlbObstacle(const SlabOptions& options) const;
  bool AutoTakesTransparent(const SlabOptions& options);
  // Maps pages of `kind`, keeps them from children, places and touches them. A failure has undone
  // it.
  Status Obtain(const SlabOptions& options, PageKind kind);
  Status Map(PageKind kind);
  Status Bind(const SlabOptions& options);
  // Opens what is closed, and touches.
  Status BindAndPrefault(const SlabOptions& options, std::span<std::byte> piece);
  Status VerifyNode(uint32_t node, std::span<const std::byte> piece) const;
  Status VerifyHuge(std::span<const std::byte> committed, uint64_t wanted) const;
  void Note(std::string_view text);

  // What is open of the mapping, from its start on.
  std::span<std::byte> Committed(uint64_t total_bytes) const;
  bool is_growable() const { return total_bytes_max_ > total_bytes_; }

  const ProcessToken process_ = CurrentProcess();
  SlabOptions options_;
  uint64_t total_bytes_ = 0;  // when it was made
  uint64_t total_bytes_max_ = 0;
  Mapping mapping_;
  std::span<std::byte> range_;
  bool adopted_ = false;
  uint64_t page_bytes_ = 0;
  PageKind kind_ = PageKind::kOrdinary;  // of what was mapped here
  std::string note_;
  // Of Prepare, until Publish or Discard.
  uint64_t prepared_bytes_ = 0;
  std::string prepared_note_;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_MEMORY_H_
