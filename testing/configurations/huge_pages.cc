// huge_pages: every slab that Mooring maps is on huge pages, of either kind, or the test fails.

#include <fstream>
#include <string>

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

std::string Word(const char* path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

bool HasHugePages() {
  const std::string transparent = Word("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!transparent.empty() && transparent.find("[never]") == std::string::npos) return true;
  // Enough for the slabs of one test, not only for one slab.
  const std::string reserved = Word("/proc/sys/vm/nr_hugepages");
  return !reserved.empty() && std::stoul(reserved) >= 16;
}

std::string Missing() { return HasHugePages() ? MissingForPinning() : "huge_pages"; }

void OnHugePages(mooring_slab_options_t* options) {
  options->huge_pages = MOORING_HUGE_PAGES_REQUIRE;
}

Expectation Expect() {
  Expectation expectation = PinnedExpectation();
  expectation.capabilities &= ~static_cast<uint32_t>(kOrdinaryPages);
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
