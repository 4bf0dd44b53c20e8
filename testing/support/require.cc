#include "testing/support/require.h"

#include <cstdlib>

namespace mooring::conformance {

bool ListContains(std::string_view list, std::string_view feature) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == feature) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool IsRequired(std::string_view feature) {
  const char* list = std::getenv("MOORING_REQUIRE");
  return list != nullptr && ListContains(list, feature);
}

}  // namespace mooring::conformance
