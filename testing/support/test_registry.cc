#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

struct Entry {
  const char* suite;
  const char* name;
  uint32_t needs;
  const char* file;
  int line;
  TestFactory factory;
};

// Inside a function, so that it is constructed before any static object that registers something.
std::vector<Entry>& Entries() {
  static std::vector<Entry> entries;
  return entries;
}

}  // namespace

bool RegisterConformanceTest(const char* suite, const char* name, uint32_t needs, const char* file,
                             int line, TestFactory factory) {
  Entries().push_back({suite, name, needs, file, line, factory});
  return true;
}

int RegisterWithGoogleTest(const char* configuration, uint32_t capabilities) {
  int count = 0;
  for (const Entry& entry : Entries()) {
    if ((entry.needs & ~capabilities) != 0) continue;
    const std::string suite = std::string(configuration) + "/" + entry.suite;
    ::testing::RegisterTest(suite.c_str(), entry.name, nullptr, nullptr, entry.file, entry.line,
                            entry.factory);
    ++count;
  }
  return count;
}

}  // namespace mooring::conformance
