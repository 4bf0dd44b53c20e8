#include "mooring/version.h"

#define MOORING_TEXT_INNER(x) #x
#define MOORING_TEXT(x) MOORING_TEXT_INNER(x)

extern "C" {

uint32_t mooring_version(void) noexcept { return MOORING_VERSION; }

const char* mooring_version_string(void) noexcept {
  return MOORING_TEXT(MOORING_VERSION_MAJOR) "." MOORING_TEXT(
      MOORING_VERSION_MINOR) "." MOORING_TEXT(MOORING_VERSION_PATCH);
}

}  // extern "C"
