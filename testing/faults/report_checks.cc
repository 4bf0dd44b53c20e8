#include "testing/faults/report_checks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>

namespace mooring::faults {
namespace {

bool IsOne(int32_t error, std::initializer_list<int32_t> errors) {
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

// ENOSYS: the errno of podman's seccomp filter.
bool IsDenial(int32_t error) { return IsOne(error, {EPERM, EACCES, ENOSYS}); }

// Describes a temporary condition, not a permanent one.
bool IsTransient(int32_t error) {
  return IsOne(error, {ENOMEM, EAGAIN, EINTR, EBUSY, EMFILE, ENFILE, ENOBUFS});
}

std::string Contradiction(const char* claim, int32_t error) {
  return std::string(claim) + " is reported for the errno " + std::strerror(error);
}

}  // namespace

std::string ProblemOfError(const conformance::Failure& failure) {
  if (failure.message.empty()) return "the message is missing";
  if (failure.remedy.empty()) return "the remedy is missing";
  const int32_t error = failure.system_error;
  switch (failure.code) {
    case MOORING_CODE_INTERNAL:
      return "INTERNAL is reported for an external fault";
    case MOORING_CODE_PERMISSION:
      return IsDenial(error) ? "" : Contradiction("PERMISSION", error);
    case MOORING_CODE_MEMLOCK_LIMIT:
      return IsOne(error, {ENOMEM, EAGAIN}) ? "" : Contradiction("MEMLOCK_LIMIT", error);
    case MOORING_CODE_UNSUPPORTED:
      return IsTransient(error) ? Contradiction("UNSUPPORTED", error) : "";
    default:
      return "";
  }
}

std::string ProblemOfEngineReason(mooring_engine_reason_t reason, int32_t system_error) {
  switch (reason) {
    case MOORING_ENGINE_REASON_IO_URING_DENIED:
    case MOORING_ENGINE_REASON_IO_URING_DISABLED:
      return IsDenial(system_error) ? "" : Contradiction("io_uring denied", system_error);
    case MOORING_ENGINE_REASON_IO_URING_MISSING:
      return IsOne(system_error, {ENOSYS, EINVAL})
                 ? ""
                 : Contradiction("io_uring missing", system_error);
    case MOORING_ENGINE_REASON_MEMLOCK_LIMIT:
      return IsOne(system_error, {ENOMEM}) ? "" : Contradiction("memlock limit", system_error);
    default:
      // Only facts_get: no ring can be created now, and no other reason is known.
      return IsTransient(system_error) ? "" : "the engine is not io_uring, without a reason";
  }
}

std::string ProblemOfReason(mooring_reason_t reason, int32_t system_error) {
  switch (reason) {
    case MOORING_REASON_REGISTER_DENIED:
      return IsDenial(system_error) ? "" : Contradiction("register denied", system_error);
    case MOORING_REASON_MEMLOCK_LIMIT:
      return IsOne(system_error, {ENOMEM}) ? "" : Contradiction("memlock limit", system_error);
    case MOORING_REASON_KERNEL_TOO_OLD:
      // A table that can only be registered whole, while the ring is not idle.
      if (system_error == EBUSY) return "";
      return IsTransient(system_error) ? Contradiction("a permanent refusal", system_error) : "";
    case MOORING_REASON_BACKING_REFUSED:
      return IsTransient(system_error) ? Contradiction("a permanent refusal", system_error) : "";
    case MOORING_REASON_NONE:
    case MOORING_REASON_POLICY:
      return "the slab is not fully pinned, without a reason";
    default:
      return "";
  }
}

}  // namespace mooring::faults
