// Conversions between the opaque handles and the C++ objects, and from Status to mooring_error_t*.
#ifndef MOORING_C_API_SRC_HANDLES_H_
#define MOORING_C_API_SRC_HANDLES_H_

#include <cstdint>

#include "cpp/base/ref_counted.h"
#include "cpp/base/status.h"
#include "cpp/os/process.h"
#include "cpp/registration/registration.h"
#include "cpp/ring/ring.h"
#include "cpp/slabs/slab.h"
#include "mooring/mooring.h"

// A slab handle also holds the process that created it. cpp/slabs does not check the process.
struct mooring_slab_t {
  mooring::RefPtr<mooring::Slab> slab;
  mooring::ProcessToken process = mooring::CurrentProcess();
};

namespace mooring::c_api {

inline mooring_error_t* ToError(Status status) {
  return reinterpret_cast<mooring_error_t*>(const_cast<ErrorDetail*>(status.Release()));
}
inline const ErrorDetail* ToDetail(const mooring_error_t* error) {
  return reinterpret_cast<const ErrorDetail*>(error);
}

inline Ring* ToRing(mooring_ring_t* ring) { return reinterpret_cast<Ring*>(ring); }
inline const Ring* ToRing(const mooring_ring_t* ring) {
  return reinterpret_cast<const Ring*>(ring);
}
inline mooring_ring_t* ToHandle(Ring* ring) { return reinterpret_cast<mooring_ring_t*>(ring); }

inline Registration* ToRegistration(mooring_registration_t* registration) {
  return reinterpret_cast<Registration*>(registration);
}
inline const Registration* ToRegistration(const mooring_registration_t* registration) {
  return reinterpret_cast<const Registration*>(registration);
}
inline mooring_registration_t* ToHandle(Registration* registration) {
  return reinterpret_cast<mooring_registration_t*>(registration);
}

inline constexpr ErrorDetail kNullArgument =
    ConstantError(Code::kInvalidArgument, Retry::kNever, "a pointer that must not be NULL is NULL",
                  "pass the object, and room for every output");
inline constexpr ErrorDetail kNegativeTime =
    ConstantError(Code::kInvalidArgument, Retry::kNever, "timeout_ns is negative",
                  "pass 0 to return immediately, or INT64_MAX to wait without a limit");
inline constexpr ErrorDetail kForkedSlab =
    ConstantError(Code::kForked, Retry::kNever, "this slab belongs to the parent process",
                  "create a new slab after fork; destroy is the only call for an inherited one");
inline constexpr ErrorDetail kForkedRegistration =
    ConstantError(Code::kForked, Retry::kNever, "this registration belongs to the parent process",
                  "create a new ring, slab and registration after fork; destroy is the only call "
                  "for inherited ones");
inline constexpr ErrorDetail kForkedRingHandle =
    ConstantError(Code::kForked, Retry::kNever, "this ring belongs to the parent process",
                  "create a new ring, slab and registration after fork; destroy is the only call "
                  "for inherited ones");

inline Status UnknownFlags(uint32_t flags, uint32_t known, const char* name) {
  if ((flags & ~known) == 0) return OkStatus();
  return Status(Code::kUnsupported, Retry::kNever,
                std::string(name) + ".flags has a bit that this library does not know",
                "clear it, or load a newer libmooring");
}

}  // namespace mooring::c_api

#endif  // MOORING_C_API_SRC_HANDLES_H_
