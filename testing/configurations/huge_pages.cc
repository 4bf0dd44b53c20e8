// huge_pages: every slab that Mooring maps must be on huge pages, transparent or hugetlb.

#include <fstream>
#include <string>

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

bool HasHugePages() {
  const std::string transparent = FirstLine("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!transparent.empty() && transparent.find("[never]") == std::string::npos) return true;
  // Enough for all slabs of one test.
  const std::string reserved = FirstLine("/proc/sys/vm/nr_hugepages");
  return !reserved.empty() && std::stoul(reserved) >= 16;
}

std::string Missing() { return HasHugePages() ? MissingForPinning() : "huge_pages"; }

void OnHugePages(mooring_slab_options_t* options) {
  options->huge_pages = MOORING_HUGE_PAGES_REQUIRE;
}

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities &= ~static_cast<uint32_t>(kBasePages);
  return expectation;
}

MOORING_CONFIGURATION({
    .name = "huge_pages",
    .missing = &Missing,
    .expect = &Expect,
    .slab_options = &OnHugePages,
});

}  // namespace
}  // namespace mooring::conformance
