#include "mooring/slab.h"

#include <utility>

#include "c_api/src/handles.h"
#include "c_api/src/structs.h"
#include "cpp/base/deadline.h"
#include "cpp/registration/slab_growth.h"
#include "cpp/ring/teardown.h"

namespace mooring::c_api {
namespace {

static_assert(sizeof(mooring_lease_t) == sizeof(Lease) && sizeof(Lease) == 16);
static_assert(sizeof(mooring_slab_options_t) == 56,
              "c_api/src/slab.cc: set the new field in ToOptions, then change the size here");
static_assert(sizeof(mooring_slab_info_t) == 360,
              "c_api/src/slab.cc: set the new field in ToInfo, then change the size here");

Lease ToLease(mooring_lease_t lease) {
  return Lease{lease.first_index, lease.buffer_count, lease.generation, lease.reserved};
}

Result<SlabOptions> ToOptions(const mooring_slab_options_t* given) {
  mooring_slab_options_t options;
  RETURN_IF_ERROR(ReadOptions(given, &options, "mooring_slab_options_t"));
  RETURN_IF_ERROR(UnknownFlags(options.flags, 0, "mooring_slab_options_t"));
  return SlabOptions{
      .buffer_bytes = options.buffer_bytes,
      .buffer_count = options.buffer_count,
      .huge_pages = static_cast<HugePages>(options.huge_pages),
      .huge_page_kind = static_cast<PageKind>(options.huge_page_kind),
      .numa_policy = static_cast<NumaPolicy>(options.numa_policy),
      .numa_node = options.numa_node,
      .touch = static_cast<Touch>(options.touch),
      .touch_thread_count = options.touch_thread_count,
      .buffer_count_max = options.buffer_count_max,
  };
}

mooring_error_t* ToHandle(Result<RefPtr<Slab>> slab, mooring_slab_t** out_slab) {
  if (!slab.ok()) return ToError(slab.TakeStatus());
  *out_slab = new mooring_slab_t{std::move(slab).value()};
  return nullptr;
}

mooring_slab_info_t ToInfo(const SlabInfo& from) {
  mooring_slab_info_t info = {};
  info.adopted = from.adopted;
  info.data = from.data;
  info.total_bytes = from.total_bytes;
  info.buffer_bytes = from.buffer_bytes;
  info.buffer_count = from.buffer_count;
  info.page_bytes = from.page_bytes;
  info.huge_page_total_bytes = from.huge_page_total_bytes;
  info.touched_bytes = from.touched_bytes;
  info.page_kind = static_cast<mooring_page_kind_t>(from.page_kind);
  info.numa_node = from.numa_node;
  info.leased_count = from.leased_count;
  info.held_count = from.held_count;
  info.kernel_reference_count = from.reference_count - 1;  // without that of the handle
  CopyText(from.note, info.note);
  info.buffer_count_max = from.buffer_count_max;
  return info;
}

}  // namespace
}  // namespace mooring::c_api

using namespace mooring;         // NOLINT: the C functions below
using namespace mooring::c_api;  // NOLINT: are in no namespace

extern "C" {

mooring_error_t* mooring_slab_create(const mooring_slab_options_t* options,
                                     mooring_slab_t** out_slab) noexcept {
  if (out_slab == nullptr) return ToError(Status(kNullArgument));
  *out_slab = nullptr;
  Result<SlabOptions> converted = ToOptions(options);
  if (!converted.ok()) return ToError(converted.TakeStatus());
  return ToHandle(Slab::Create(converted.value()), out_slab);
}

mooring_error_t* mooring_slab_adopt(void* data, uint64_t size_bytes,
                                    const mooring_slab_options_t* options,
                                    mooring_slab_t** out_slab) noexcept {
  if (out_slab == nullptr) return ToError(Status(kNullArgument));
  *out_slab = nullptr;
  Result<SlabOptions> converted = ToOptions(options);
  if (!converted.ok()) return ToError(converted.TakeStatus());
  return ToHandle(Slab::Adopt(data, size_bytes, converted.value()), out_slab);
}

mooring_error_t* mooring_slab_import(int32_t fd, uint64_t offset_bytes, uint64_t size_bytes,
                                     const mooring_slab_options_t* options,
                                     mooring_slab_t** out_slab) noexcept {
  if (out_slab == nullptr) return ToError(Status(kNullArgument));
  *out_slab = nullptr;
  Result<SlabOptions> converted = ToOptions(options);
  if (!converted.ok()) return ToError(converted.TakeStatus());
  return ToHandle(Slab::Import(fd, offset_bytes, size_bytes, converted.value()), out_slab);
}

mooring_error_t* mooring_slab_get_info(const mooring_slab_t* slab,
                                       mooring_slab_info_t* out_info) noexcept {
  if (slab == nullptr) return ToError(Status(kNullArgument));
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  mooring_slab_info_t info = ToInfo(slab->slab->Info());
  return ToError(WriteInfo(info, out_info, "mooring_slab_info_t"));
}

mooring_error_t* mooring_slab_acquire(mooring_slab_t* slab, uint32_t buffer_count,
                                      mooring_lease_t* out_lease) noexcept {
  if (slab == nullptr || out_lease == nullptr) return ToError(Status(kNullArgument));
  *out_lease = mooring_lease_t{};
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  Lease lease;
  Status status = slab->slab->Acquire(buffer_count, &lease);
  if (!status.ok()) return ToError(std::move(status));
  *out_lease = mooring_lease_t{lease.first_index, lease.buffer_count, lease.generation, 0};
  return nullptr;
}

mooring_error_t* mooring_slab_release(mooring_slab_t* slab, mooring_lease_t lease) noexcept {
  if (slab == nullptr) return ToError(Status(kNullArgument));
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  return ToError(slab->slab->Release(ToLease(lease)));
}

void* mooring_slab_data(const mooring_slab_t* slab, mooring_lease_t lease) noexcept {
  if (slab == nullptr || slab->process != CurrentProcess()) return nullptr;
  return slab->slab->Data(ToLease(lease));
}

mooring_error_t* mooring_slab_grow(mooring_slab_t* slab, uint64_t buffer_count) noexcept {
  if (slab == nullptr) return ToError(Status(kNullArgument));
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  return ToError(GrowSlab(*slab->slab, buffer_count));
}

mooring_error_t* mooring_slab_close(mooring_slab_t* slab, int64_t timeout_ns) noexcept {
  if (slab == nullptr) return ToError(Status(kNullArgument));
  if (timeout_ns < 0) return ToError(Status(kNegativeTime));
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  return ToError(CloseSlab(*slab->slab, Deadline::After(timeout_ns)));
}

void mooring_slab_destroy(mooring_slab_t* slab) noexcept {
  if (slab == nullptr) return;
  if (slab->process == CurrentProcess()) DestroySlab(std::move(slab->slab));
  delete slab;
}

}  // extern "C"
