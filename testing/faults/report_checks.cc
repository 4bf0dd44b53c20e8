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

// ENOSYS: what podman's filter answers.
bool IsDenial(int32_t error) { return IsOne(error, {EPERM, EACCES, ENOSYS}); }

// Tells of the moment, and of nothing that lasts.
bool IsOfTheMoment(int32_t error) {
  return IsOne(error, {ENOMEM, EAGAIN, EINTR, EBUSY, EMFILE, ENFILE, ENOBUFS});
}

std::string Belied(const char* claim, int32_t error) {
  return std::string(claim) + " is claimed, of an " + std::strerror(error);
}

}  // namespace

std::string WrongWith(const conformance::Failure& failure) {
  if (failure.message.empty()) return "there is no message";
  if (failure.remedy.empty()) return "there is no remedy";
  const int32_t error = failure.system_error;
  switch (failure.code) {
    case MOORING_CODE_INTERNAL:
      return "a fault from outside is no defect";
    case MOORING_CODE_PERMISSION:
      return IsDenial(error) ? "" : Belied("PERMISSION", error);
    case MOORING_CODE_MEMLOCK_LIMIT:
      return IsOne(error, {ENOMEM, EAGAIN}) ? "" : Belied("MEMLOCK_LIMIT", error);
    case MOORING_CODE_UNSUPPORTED:
      return IsOfTheMoment(error) ? Belied("UNSUPPORTED", error) : "";
    default:
      return "";
  }
}

std::string WrongWithEngine(mooring_engine_reason_t reason, int32_t system_error) {
  switch (reason) {
    case MOORING_ENGINE_REASON_IO_URING_DENIED:
    case MOORING_ENGINE_REASON_IO_URING_DISABLED:
      return IsDenial(system_error) ? "" : Belied("io_uring denied", system_error);
    case MOORING_ENGINE_REASON_IO_URING_MISSING:
      return IsOne(system_error, {ENOSYS, EINVAL}) ? "" : Belied("io_uring missing", system_error);
    case MOORING_ENGINE_REASON_MEMLOCK_LIMIT:
      return IsOne(system_error, {ENOMEM}) ? "" : Belied("memlock limit", system_error);
    default:
      // facts_get alone: no ring can be made now, and that is all there is to tell.
      return IsOfTheMoment(system_error) ? "" : "the engine is not io_uring, without a reason";
  }
}

std::string WrongWithReason(mooring_reason_t reason, int32_t system_error) {
  switch (reason) {
    case MOORING_REASON_REGISTER_DENIED:
      return IsDenial(system_error) ? "" : Belied("register denied", system_error);
    case MOORING_REASON_MEMLOCK_LIMIT:
      return IsOne(system_error, {ENOMEM}) ? "" : Belied("memlock limit", system_error);
    case MOORING_REASON_KERNEL_TOO_OLD:
      // A table that can only be registered whole, for which the ring is not idle now.
      if (system_error == EBUSY) return "";
      return IsOfTheMoment(system_error) ? Belied("a lasting refusal", system_error) : "";
    case MOORING_REASON_BACKING_REFUSED:
      return IsOfTheMoment(system_error) ? Belied("a lasting refusal", system_error) : "";
    case MOORING_REASON_NONE:
    case MOORING_REASON_POLICY:
      return "not all of it is pinned, without a reason";
    default:
      return "";
  }
}

}  // namespace mooring::faults
