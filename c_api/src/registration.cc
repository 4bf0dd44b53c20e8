#include "mooring/registration.h"

#include "c_api/src/handles.h"
#include "c_api/src/structs.h"
#include "cpp/ring/teardown.h"

namespace mooring::c_api {
namespace {

static_assert(MOORING_REASON_ENGINE_THREADS == static_cast<uint32_t>(Reason::kEngineThreads));
static_assert(MOORING_REASON_OWNER_THREAD == static_cast<uint32_t>(Reason::kOwnerThread));
static_assert(MOORING_OUTCOME_COPY == static_cast<uint32_t>(Outcome::kCopy));
static_assert(MOORING_POLICY_NEVER == static_cast<uint32_t>(Policy::kNever));
static_assert(sizeof(mooring_registration_options_t) == 24,
              "c_api/src/registration.cc: set the new field in ToOptions, then change the size "
              "here");
static_assert(sizeof(mooring_registration_info_t) == 1112 && sizeof(mooring_extent_info_t) == 48,
              "c_api/src/registration.cc: set the new field in ToInfo, then change the size here");

Result<RegistrationOptions> ToOptions(const mooring_registration_options_t* given) {
  mooring_registration_options_t options;
  RETURN_IF_ERROR(ReadOptions(given, &options, "mooring_registration_options_t"));
  RETURN_IF_ERROR(UnknownFlags(options.flags, MOORING_REGISTRATION_RAISE_MEMLOCK,
                               "mooring_registration_options_t"));
  return RegistrationOptions{
      .policy = static_cast<Policy>(options.policy),
      .raise_memlock = (options.flags & MOORING_REGISTRATION_RAISE_MEMLOCK) != 0,
      .extent_bytes_max = options.extent_bytes_max,
      .provided_buffer_count = options.provided_buffer_count,
  };
}

mooring_registration_info_t ToInfo(const Registration& registration) {
  const RegistrationReport report = registration.Report();
  mooring_registration_info_t info = {};
  info.policy = static_cast<mooring_policy_t>(report.policy);
  info.outcome = static_cast<mooring_outcome_t>(report.outcome);
  info.reason = static_cast<mooring_reason_t>(report.reason);
  info.system_error = report.system_error;
  info.extent_count = report.extent_count;
  info.bytes_requested = report.bytes_requested;
  info.bytes_fixed = report.bytes_fixed;
  info.bytes_cloned = report.bytes_cloned;
  info.memlock_soft_bytes = report.memlock.soft_bytes;
  info.memlock_hard_bytes = report.memlock.hard_bytes;
  info.memlock_used_bytes = report.memlock_used_bytes;
  info.memlock_exempt = report.memlock_exempt;
  if (const ProvidedBuffers* provided = registration.provided())
    info.provided_buffer_count = provided->count();
  info.provided_system_error = registration.provided_error();
  CopyText(report.message, info.message);
  CopyText(report.remedy, info.remedy);
  return info;
}

mooring_extent_info_t ToInfo(const Extent& extent) {
  mooring_extent_info_t info = {};
  const bool fixed = extent.slot != kNoBufferSlot;
  info.outcome = fixed ? MOORING_OUTCOME_FIXED : MOORING_OUTCOME_COPY;
  info.reason = static_cast<mooring_reason_t>(extent.reason);
  info.system_error = extent.system_error;
  info.offset = extent.offset;
  info.size = extent.size;
  info.bytes_fixed = fixed ? extent.size : 0;
  info.source = !fixed            ? MOORING_SOURCE_NONE
                : extent.is_clone ? MOORING_SOURCE_CLONED
                                  : MOORING_SOURCE_PINNED;
  return info;
}

}  // namespace
}  // namespace mooring::c_api

using namespace mooring;         // NOLINT: the C functions below
using namespace mooring::c_api;  // NOLINT: are in no namespace

extern "C" {

mooring_error_t* mooring_registration_create(mooring_ring_t* ring, mooring_slab_t* slab,
                                             const mooring_registration_options_t* options,
                                             mooring_registration_t** out_registration) noexcept {
  if (ring == nullptr || slab == nullptr || out_registration == nullptr)
    return ToError(Status(kNullArgument));
  *out_registration = nullptr;
  if (slab->process != CurrentProcess()) return ToError(Status(kForkedSlab));
  Result<RegistrationOptions> converted = ToOptions(options);
  if (!converted.ok()) return ToError(converted.TakeStatus());
  Result<RefPtr<Registration>> registration = ToRing(ring)->Register(slab->slab, converted.value());
  if (!registration.ok()) return ToError(registration.TakeStatus());
  *out_registration = ToHandle(std::move(registration).value().Release());
  return nullptr;
}

mooring_error_t* mooring_registration_get_info(const mooring_registration_t* registration,
                                               mooring_registration_info_t* out_info) noexcept {
  if (registration == nullptr) return ToError(Status(kNullArgument));
  if (ToRegistration(registration)->table().Forked()) return ToError(Status(kForkedRegistration));
  mooring_registration_info_t info = ToInfo(*ToRegistration(registration));
  return ToError(WriteInfo(info, out_info, "mooring_registration_info_t"));
}

mooring_error_t* mooring_registration_get_extent(const mooring_registration_t* registration,
                                                 uint32_t index,
                                                 mooring_extent_info_t* out_info) noexcept {
  if (registration == nullptr) return ToError(Status(kNullArgument));
  if (ToRegistration(registration)->table().Forked()) return ToError(Status(kForkedRegistration));
  Extent extent;
  if (!ToRegistration(registration)->ExtentAt(index, &extent)) {
    return ToError(
        InvalidArgument("there is no extent " + std::to_string(index),
                        "pass an index below extent_count of mooring_registration_get_info"));
  }
  mooring_extent_info_t info = ToInfo(extent);
  return ToError(WriteInfo(info, out_info, "mooring_extent_info_t"));
}

mooring_error_t* mooring_registration_promote(mooring_registration_t* registration) noexcept {
  if (registration == nullptr) return ToError(Status(kNullArgument));
  if (ToRegistration(registration)->table().Forked()) return ToError(Status(kForkedRegistration));
  return ToError(ToRegistration(registration)->Promote());
}

void mooring_registration_destroy(mooring_registration_t* registration) noexcept {
  // In a forked child, a thread of the parent may have held the registration's locks at the fork.
  // They would never be released, so the child keeps the object: a few hundred bytes.
  if (registration == nullptr || ToRegistration(registration)->table().Forked()) return;
  DestroyRegistration(ToRegistration(registration));
}

}  // extern "C"
