// version.h: the version of the headers (macros) and of the loaded library (functions).
//
// Until 1.0, the shared library is libmooring.so.0, and a new minor version may be incompatible:
// the change log names the changes. From 1.0 on, the major number is the soname.
#ifndef MOORING_VERSION_H_
#define MOORING_VERSION_H_

#include <stdint.h>

#include "mooring/export.h"

#define MOORING_VERSION_MAJOR 0
#define MOORING_VERSION_MINOR 1
#define MOORING_VERSION_PATCH 0

// One comparable number: 8 bits major, 12 bits minor, 12 bits patch.
#define MOORING_MAKE_VERSION(major, minor, patch) \
  (((uint32_t)(major) << 24) | ((uint32_t)(minor) << 12) | (uint32_t)(patch))
#define MOORING_VERSION \
  MOORING_MAKE_VERSION(MOORING_VERSION_MAJOR, MOORING_VERSION_MINOR, MOORING_VERSION_PATCH)
#define MOORING_VERSION_AT_LEAST(major, minor, patch) \
  (MOORING_VERSION >= MOORING_MAKE_VERSION(major, minor, patch))

MOORING_BEGIN_DECLS

// mooring_version returns the version of the loaded library, packed as by MOORING_MAKE_VERSION.
//
// Thread: any.
// Errors: none.
// Since:  0.1
MOORING_API uint32_t mooring_version(void) MOORING_NOEXCEPT;

// mooring_version_string returns the version of the loaded library as text, for example "0.1.0".
//
// Thread: any.
// Owns:   lends a static string.
// Errors: none.
// Since:  0.1
MOORING_API const char* mooring_version_string(void) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_VERSION_H_
