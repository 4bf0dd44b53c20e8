// error.h: what a failed call returns.
//
// A call that can fail returns `mooring_error_t*`. NULL is success. An error holds a message (what
// happened, with the numbers), a remedy (what to do about it), the errno, and whether a retry can
// succeed. The caller owns it and frees it with mooring_error_destroy. Errors on the data path
// (submit, reap, acquire, release) are constant objects, so that a failure allocates no memory.
// Destroying one of them has no effect, so callers treat all errors alike.
//
// Codes are few and show what the caller can do. Details are in the message. Codes are never
// renumbered. Treat a code that you do not know as MOORING_CODE_INTERNAL.
#ifndef MOORING_ERROR_H_
#define MOORING_ERROR_H_

#include <stdint.h>

#include "mooring/export.h"

MOORING_BEGIN_DECLS

typedef uint32_t mooring_code_t;
enum {
  MOORING_CODE_OK = 0,
  MOORING_CODE_INVALID_ARGUMENT = 1,  // the call can never succeed with these arguments
  MOORING_CODE_INVALID_STATE = 2,     // not now: closed, stale lease, wrong thread, second caller
  MOORING_CODE_NOT_FOUND = 3,
  MOORING_CODE_PERMISSION = 4,
  MOORING_CODE_UNSUPPORTED = 5,    // this kernel or this library version does not have it
  MOORING_CODE_EXHAUSTED = 6,      // no memory, buffer, slot or record is free
  MOORING_CODE_MEMLOCK_LIMIT = 7,  // RLIMIT_MEMLOCK is too small to pin the memory
  MOORING_CODE_CANCELLED = 8,
  MOORING_CODE_TIMEOUT = 9,
  MOORING_CODE_IO = 10,
  MOORING_CODE_DATA_SHORT = 11,
  MOORING_CODE_DEVICE = 12,
  MOORING_CODE_FORKED = 13,  // the object belongs to the parent process
  MOORING_CODE_INTERNAL = 14,
};

typedef uint32_t mooring_retry_t;
enum {
  MOORING_RETRY_NEVER = 0,         // the same call will fail again
  MOORING_RETRY_LATER = 1,         // the same call can succeed later, without other changes
  MOORING_RETRY_AFTER_REMEDY = 2,  // the same call can succeed after the remedy was applied
};

typedef struct mooring_error_t mooring_error_t;

// mooring_error_code returns the code of `error`; MOORING_CODE_OK for NULL.
//
// Thread: any.
// Errors: none.
// Since:  0.1
MOORING_API mooring_code_t mooring_error_code(const mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_error_message returns what happened, with the numbers, as UTF-8 text; "" for NULL.
//
// Thread: any.
// Owns:   lends a string that lives as long as `error`.
// Errors: none.
// Since:  0.1
MOORING_API const char* mooring_error_message(const mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_error_remedy returns what to do about `error`, as UTF-8 text. It is "" for NULL and never
// empty otherwise.
//
// Thread: any.
// Owns:   lends a string that lives as long as `error`.
// Errors: none.
// Since:  0.1
MOORING_API const char* mooring_error_remedy(const mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_error_system_error returns the errno of `error`, as a positive number; 0 if there is
// none.
//
// Thread: any.
// Errors: none.
// Since:  0.1
MOORING_API int32_t mooring_error_system_error(const mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_error_retry returns whether the same call can succeed later; NEVER for NULL.
//
// Thread: any.
// Errors: none.
// Since:  0.1
MOORING_API mooring_retry_t mooring_error_retry(const mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_error_destroy frees `error`. NULL is allowed.
//
// Thread: any; once per error.
// Owns:   takes `error`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_error_destroy(mooring_error_t* error) MOORING_NOEXCEPT;

// mooring_code_name returns the name of `code`, for example "MEMLOCK_LIMIT"; "UNKNOWN" for a
// code that this library does not know.
//
// Thread: any.
// Owns:   lends a static string.
// Errors: none.
// Since:  0.1
MOORING_API const char* mooring_code_name(mooring_code_t code) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_ERROR_H_
