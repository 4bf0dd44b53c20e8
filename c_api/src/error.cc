#include "mooring/error.h"

#include "c_api/src/handles.h"

namespace mooring::c_api {

static_assert(MOORING_CODE_INVALID_ARGUMENT == static_cast<uint32_t>(Code::kInvalidArgument));
static_assert(MOORING_CODE_MEMLOCK_LIMIT == static_cast<uint32_t>(Code::kMemlockLimit));
static_assert(MOORING_CODE_INTERNAL == static_cast<uint32_t>(Code::kInternal));
static_assert(MOORING_RETRY_AFTER_REMEDY == static_cast<uint32_t>(Retry::kAfterRemedy));

}  // namespace mooring::c_api

using namespace mooring;         // NOLINT: the C functions below
using namespace mooring::c_api;  // NOLINT: are in no namespace

extern "C" {

mooring_code_t mooring_error_code(const mooring_error_t* error) noexcept {
  return static_cast<mooring_code_t>(error == nullptr ? Code::kOk : ToDetail(error)->code);
}

const char* mooring_error_message(const mooring_error_t* error) noexcept {
  return error == nullptr ? "" : ToDetail(error)->message;
}

const char* mooring_error_remedy(const mooring_error_t* error) noexcept {
  return error == nullptr ? "" : ToDetail(error)->remedy;
}

int32_t mooring_error_system_error(const mooring_error_t* error) noexcept {
  return error == nullptr ? 0 : ToDetail(error)->system_error;
}

mooring_retry_t mooring_error_retry(const mooring_error_t* error) noexcept {
  return static_cast<mooring_retry_t>(error == nullptr ? Retry::kNever : ToDetail(error)->retry);
}

void mooring_error_destroy(mooring_error_t* error) noexcept { Status::Destroy(ToDetail(error)); }

const char* mooring_code_name(mooring_code_t code) noexcept {
  return CodeName(static_cast<Code>(code));
}

}  // extern "C"
