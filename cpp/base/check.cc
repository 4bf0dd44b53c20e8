#include "cpp/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace mooring {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr,
               "mooring: %s:%d: check failed: %s (this is a defect in Mooring; please report it)\n",
               file, line, condition);
  std::abort();
}

}  // namespace mooring
