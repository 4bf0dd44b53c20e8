// SlabMemory: the pages of a slab: mapped, placed and touched here, or adopted from the caller. It says what it really
// got, read back from the kernel, and why that differs from what would have been best.
//
// Lifecycle: Create or Adopt; the destructor unmaps what was mapped here, but not in a forked child, where the range was
// never inherited (MADV_DONTFORK) and may be something else's by now.
//
// Threading: immutable after creation.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<SlabMemory> memory, SlabMemory::Create(options, total_bytes));
#ifndef MOORING_CPP_SLABS_SLAB_MEMORY_H_
#define MOORING_CPP_SLABS_SLAB_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "cpp/base/result.h"
#include "cpp/os/mapping.h"
#include "cpp/os/process.h"
#include "cpp/slabs/slab_options.h"

namespace mooring {

class SlabMemory {
 public:
  // Maps, places and touches `total_bytes`, as `options` say.
  static Result<std::unique_ptr<SlabMemory>> Create(const SlabOptions& options, uint64_t total_bytes);
  // The caller's memory, of which nothing is changed. `size_bytes` is not 0.
  static std::unique_ptr<SlabMemory> Adopt(std::byte* data, uint64_t size_bytes);
  ~SlabMemory();

  std::span<std::byte> range() const { return range_; }
  bool adopted() const { return adopted_; }
  // What one pinned byte can cost of memlock: the size of the pages, huge ones where there may be any.
  uint64_t page_bytes() const { return page_bytes_; }
  PageKind page_kind() const { return page_kind_; }
  // Why AUTO did not take what it would have liked; "" if it did.
  const std::string& note() const { return note_; }

 private:
  SlabMemory() = default;
  Status Map(const SlabOptions& options, uint64_t total_bytes);
  Status MapHugetlb(uint64_t total_bytes);
  Status MapAnonymous(uint64_t total_bytes, bool transparent);
  Status MapRequired(const SlabOptions& options, uint64_t total_bytes);
  Status Place(const SlabOptions& options);
  Status VerifyHuge() const;

  const ProcessToken process_ = CurrentProcess();
  Mapping mapping_;
  std::span<std::byte> range_;
  bool adopted_ = false;
  uint64_t page_bytes_ = 0;
  PageKind page_kind_ = PageKind::kOrdinary;
  std::string note_;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_SLAB_MEMORY_H_
