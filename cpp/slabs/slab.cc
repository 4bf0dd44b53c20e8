#include "cpp/slabs/slab.h"

#include <cinttypes>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/slabs/lease_table.h"
#include "cpp/slabs/slab_memory.h"

namespace mooring {
namespace {

constexpr uint64_t kSector = 512;  // the unit of direct I/O and disks
constexpr uint64_t kDefaultBufferBytes = uint64_t{1} << 20;
constexpr uint64_t kDefaultBufferCount = 64;

constexpr ErrorDetail kGrowthClosed = ConstantError(
    Code::kInvalidState, Retry::kNever, "the slab is closed", "grow it before mooring_slab_close");
constexpr ErrorDetail kGrowthByZero = ConstantError(
    Code::kInvalidArgument, Retry::kNever, "buffer_count is 0", "grow by at least one buffer");
constexpr ErrorDetail kGrowthOfAdopted =
    ConstantError(Code::kUnsupported, Retry::kNever, "an adopted or imported slab cannot grow",
                  "let Mooring create the slab, with a buffer_count_max");

struct Shape {
  uint64_t buffer_bytes = 0;
  uint64_t buffer_count = 0;
  uint64_t buffer_count_max = buffer_count;
};

Status CheckShape(const Shape& shape) {
  if (!IsAligned(shape.buffer_bytes, kSector)) {
    return InvalidArgument(Format("buffer_bytes is %s, which is not a multiple of 512 bytes",
                                  FormatBytes(shape.buffer_bytes).c_str()),
                           "pass a multiple of 512 bytes, or 0 for 1 MiB");
  }
  if (shape.buffer_count > Slab::kBufferCountMax) {
    return InvalidArgument(Format("buffer_count is %" PRIu64 "; the maximum is %" PRIu64,
                                  shape.buffer_count, Slab::kBufferCountMax),
                           "use fewer, larger buffers");
  }
  if (shape.buffer_count_max > Slab::kBufferCountMax ||
      shape.buffer_count_max < shape.buffer_count) {
    return InvalidArgument(
        Format("buffer_count_max is %" PRIu64 ", which is below buffer_count, %" PRIu64
               ", or above %" PRIu64,
               shape.buffer_count_max, shape.buffer_count, Slab::kBufferCountMax),
        "pass 0 for a slab that never grows, or the number of buffers that it may grow to");
  }
  if (!CheckedMultiply(shape.buffer_bytes, shape.buffer_count_max)) {
    return InvalidArgument(
        Format("buffer_bytes, %s, times buffer_count, %" PRIu64 ", exceeds 2^64 bytes",
               FormatBytes(shape.buffer_bytes).c_str(), shape.buffer_count_max),
        "use fewer or smaller buffers");
  }
  return OkStatus();
}

template <typename Enum>
Status CheckEnum(const char* name, Enum value, Enum last) {
  if (value <= last) return OkStatus();
  return InvalidArgument(Format("%s is %" PRIu32 ", which is not one of its constants", name,
                                static_cast<uint32_t>(value)),
                         "use a constant of mooring/slab.h");
}

Status CheckChoices(const SlabOptions& options) {
  RETURN_IF_ERROR(CheckEnum("huge_pages", options.huge_pages, HugePages::kRequire));
  RETURN_IF_ERROR(CheckEnum("huge_page_kind", options.huge_page_kind, PageKind::kHugetlb));
  RETURN_IF_ERROR(CheckEnum("numa_policy", options.numa_policy, NumaPolicy::kPrefer));
  RETURN_IF_ERROR(CheckEnum("touch", options.touch, Touch::kNone));
  if (options.huge_page_kind == PageKind::kOrdinary) {
    return InvalidArgument(
        "huge_page_kind is MOORING_PAGE_KIND_ORDINARY, which is not a kind of huge page",
        "pass huge_pages NEVER for base pages, or the kind ANY, TRANSPARENT or HUGETLB");
  }
  return OkStatus();
}

// Rejects options that only Create can apply: an explicit option is never ignored silently.
Status CheckAdoptable(const SlabOptions& options) {
  const char* field = options.huge_pages != HugePages::kAuto        ? "huge_pages"
                      : options.huge_page_kind != PageKind::kAny    ? "huge_page_kind"
                      : options.numa_policy != NumaPolicy::kDefault ? "numa_policy"
                      : options.touch != Touch::kNow                ? "touch"
                      : options.touch_thread_count != 0             ? "touch_thread_count"
                      : options.buffer_count_max != 0               ? "buffer_count_max"
                                                                    : nullptr;
  if (field == nullptr) return OkStatus();
  return InvalidArgument(
      Format("%s is set, but Mooring does not change memory that it did not create", field),
      "leave it at its default, or let Mooring create the slab");
}

// For memory of a given size: one buffer if no buffer size is given; as many buffers as fit if no
// count is given.
Result<Shape> ShapeWithin(uint64_t size_bytes, const SlabOptions& options) {
  Shape shape{.buffer_bytes = options.buffer_bytes, .buffer_count = options.buffer_count};
  // One buffer of any size; it need not be a multiple of 512 bytes.
  const bool whole = shape.buffer_bytes == 0;
  if (whole) shape.buffer_bytes = size_bytes;
  const uint64_t fit = size_bytes / shape.buffer_bytes;
  if (shape.buffer_count == 0) shape.buffer_count = fit;
  shape.buffer_count_max = shape.buffer_count;
  if (fit == 0 || shape.buffer_count > fit) {
    return InvalidArgument(
        Format("%" PRIu64 " buffers of %s do not fit into %s", shape.buffer_count,
               FormatBytes(shape.buffer_bytes).c_str(), FormatBytes(size_bytes).c_str()),
        "pass smaller or fewer buffers, or more memory");
  }
  if (!whole) RETURN_IF_ERROR(CheckShape(shape));
  return shape;
}

// The lease table is allocated before the pages, so its failure leaves nothing to undo.
Result<std::unique_ptr<LeaseTable>> MakeLeases(const Shape& shape) {
  std::unique_ptr<LeaseTable> leases = LeaseTable::Create(
      static_cast<uint32_t>(shape.buffer_count), static_cast<uint32_t>(shape.buffer_count_max));
  if (leases != nullptr) return leases;
  return Status(
      Code::kExhausted, Retry::kAfterRemedy,
      Format("no memory for the bookkeeping of %" PRIu64 " buffers", shape.buffer_count_max),
      "use fewer, larger buffers");
}

}  // namespace

Slab::Slab(std::unique_ptr<SlabMemory> memory, std::unique_ptr<LeaseTable> leases,
           uint64_t buffer_bytes, uint64_t buffer_count)
    : memory_(std::move(memory)),
      leases_(std::move(leases)),
      base_(memory_->range().data()),
      total_bytes_(buffer_bytes * buffer_count),
      buffer_count_(buffer_count),
      buffer_bytes_(buffer_bytes),
      page_bytes_(memory_->page_bytes()),
      adopted_(memory_->adopted()) {}

Slab::~Slab() = default;

Result<RefPtr<Slab>> Slab::Create(const SlabOptions& options) {
  Shape shape{
      .buffer_bytes = options.buffer_bytes == 0 ? kDefaultBufferBytes : options.buffer_bytes,
      .buffer_count = options.buffer_count == 0 ? kDefaultBufferCount : options.buffer_count};
  if (options.buffer_count_max != 0) shape.buffer_count_max = options.buffer_count_max;
  RETURN_IF_ERROR(CheckShape(shape));
  RETURN_IF_ERROR(CheckChoices(options));
  ASSIGN_OR_RETURN(std::unique_ptr<LeaseTable> leases, MakeLeases(shape));
  ASSIGN_OR_RETURN(std::unique_ptr<SlabMemory> memory,
                   SlabMemory::Create(options, shape.buffer_bytes * shape.buffer_count,
                                      shape.buffer_bytes * shape.buffer_count_max));
  return MakeRef<Slab>(std::move(memory), std::move(leases), shape.buffer_bytes,
                       shape.buffer_count);
}

Result<RefPtr<Slab>> Slab::Adopt(void* data, uint64_t size_bytes, const SlabOptions& options) {
  if (data == nullptr || size_bytes == 0) {
    return InvalidArgument("the memory to adopt is NULL or empty",
                           "pass the first byte and the size in bytes");
  }
  if (!CheckedAdd(reinterpret_cast<uint64_t>(data), size_bytes)) {
    return InvalidArgument(
        Format("%s at address %p exceed the address space", FormatBytes(size_bytes).c_str(), data),
        "pass the size in bytes");
  }
  RETURN_IF_ERROR(CheckAdoptable(options));
  ASSIGN_OR_RETURN(const Shape shape, ShapeWithin(size_bytes, options));
  ASSIGN_OR_RETURN(std::unique_ptr<LeaseTable> leases, MakeLeases(shape));
  std::unique_ptr<SlabMemory> memory =
      SlabMemory::Adopt(static_cast<std::byte*>(data), shape.buffer_bytes * shape.buffer_count);
  return MakeRef<Slab>(std::move(memory), std::move(leases), shape.buffer_bytes,
                       shape.buffer_count);
}

Result<RefPtr<Slab>> Slab::Import(int descriptor, uint64_t offset_bytes, uint64_t size_bytes,
                                  const SlabOptions& options) {
  RETURN_IF_ERROR(CheckAdoptable(options));
  ASSIGN_OR_RETURN(std::unique_ptr<SlabMemory> memory,
                   SlabMemory::Import(descriptor, offset_bytes, size_bytes));
  // Only a part of the last page may be inside the range.
  const uint64_t usable = size_bytes == 0 ? memory->range().size() : size_bytes;
  ASSIGN_OR_RETURN(const Shape shape, ShapeWithin(usable, options));
  ASSIGN_OR_RETURN(std::unique_ptr<LeaseTable> leases, MakeLeases(shape));
  return MakeRef<Slab>(std::move(memory), std::move(leases), shape.buffer_bytes,
                       shape.buffer_count);
}

Status Slab::Acquire(uint32_t buffer_count, Lease* out_lease) {
  return leases_->Acquire(buffer_count, out_lease);
}

Status Slab::Release(const Lease& lease) {
  Status status = leases_->Release(lease);
  NotifyWatchers();
  return status;
}

uint32_t Slab::Hold(uint32_t first_index, uint32_t generation) {
  return leases_->Hold(first_index, generation);
}

void Slab::Unhold(uint32_t first_index) {
  leases_->Unhold(first_index);
  NotifyWatchers();
}

std::byte* Slab::Data(const Lease& lease) const {
  if (lease.first_index >= buffer_count()) return nullptr;
  if (lease.generation != 0 && !leases_->IsCurrent(lease.first_index, lease.generation))
    return nullptr;
  return base_ + lease.first_index * buffer_bytes_;
}

Result<uint64_t> Slab::PrepareGrowth(uint64_t buffer_count) {
  const uint64_t before = leases_->buffer_count();
  const uint64_t most = leases_->buffer_count_max();
  if (leases_->closed()) return Status(kGrowthClosed);
  if (buffer_count == 0) return Status(kGrowthByZero);
  if (!memory_->created()) return Status(kGrowthOfAdopted);
  if (buffer_count > most - before) {
    return InvalidArgument(
        Format("the slab has %" PRIu64 " buffers and its buffer_count_max is %" PRIu64
               ", so it cannot grow by %" PRIu64,
               before, most, buffer_count),
        Format("grow by at most %" PRIu64 ", or create slabs with a larger buffer_count_max",
               most - before));
  }
  const uint64_t total_bytes = (before + buffer_count) * buffer_bytes_;
  RETURN_IF_ERROR(memory_->Prepare(total_bytes));
  growth_count_ = buffer_count;
  return total_bytes;
}

void Slab::PublishGrowth() {
  MutexLock lock(info_mutex_);
  memory_->Publish();
  // Release: see total_bytes().
  total_bytes_.fetch_add(growth_count_ * buffer_bytes_, std::memory_order_release);
  buffer_count_.fetch_add(growth_count_, std::memory_order_release);
  leases_->Grow(static_cast<uint32_t>(growth_count_));
}

void Slab::DiscardGrowth() { memory_->Discard(); }

void Slab::Close() { leases_->Close(); }

SlabInfo Slab::Info() const {
  MutexLock lock(info_mutex_);
  SlabInfo info;
  info.adopted = adopted_;
  info.data = base_;
  info.total_bytes = total_bytes();
  info.buffer_bytes = buffer_bytes_;
  info.buffer_count = buffer_count();
  info.buffer_count_max = leases_->buffer_count_max();
  const SlabMemory::Pages pages = memory_->ReadPages();
  info.page_bytes = pages.page_bytes;
  info.huge_page_total_bytes = pages.huge_bytes;
  info.touched_bytes = pages.resident_bytes;
  info.page_kind = pages.kind;
  info.numa_node = pages.numa_node;
  info.leased_count = leases_->LeasedCount();
  info.held_count = leases_->HeldCount();
  info.reference_count = RefCount();
  info.note = memory_->note();
  return info;
}

}  // namespace mooring
