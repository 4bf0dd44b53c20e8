#include "testing/fuzz/target.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mooring::fuzz {

void Fail(const char* claim, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: violated: %s\n", file, line, claim);
  std::abort();
}

mooring_code_t CodeOf(mooring_error_t* error) {
  const mooring_code_t code = mooring_error_code(error);
  if (error != nullptr) {
    CLAIM(code != MOORING_CODE_OK && code != MOORING_CODE_INTERNAL);
    CLAIM(std::strlen(mooring_error_message(error)) > 0);
    CLAIM(std::strlen(mooring_error_remedy(error)) > 0);
  }
  mooring_error_destroy(error);
  return code;
}

}  // namespace mooring::fuzz
