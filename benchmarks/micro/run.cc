#include "benchmarks/micro/run.h"

#include <sys/utsname.h>

#include <atomic>
#include <cstdlib>
#include <sstream>

namespace mooring::benchmarks {
namespace {

std::atomic<bool> has_failed{false};

bool IsRequired(const std::string& feature) {
  const char* list = std::getenv("MOORING_REQUIRE");
  std::istringstream features(list == nullptr ? "" : list);
  for (std::string name; std::getline(features, name, ',');) {
    if (name == feature) return true;
  }
  return false;
}

std::string KernelRelease() {
  utsname name;
  return uname(&name) == 0 ? name.release : "unknown";
}

}  // namespace

void Fail(benchmark::State& state, const std::string& message) {
  has_failed = true;
  state.SkipWithError(message.c_str());
}

void Skip(benchmark::State& state, const std::string& feature, const std::string& message) {
  const std::string text = "missing: " + feature + " (" + message + ")";
  if (IsRequired(feature)) {
    Fail(state, "MOORING_REQUIRE names it; " + text);
  } else {
    state.SkipWithError(text.c_str());
  }
}

int Run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("kernel", KernelRelease());
#if defined(__OPTIMIZE__)
  benchmark::AddCustomContext("optimized", "yes");
#else
  benchmark::AddCustomContext("optimized", "no");
#endif
  benchmark::AddCustomContext("compiler", __VERSION__);
  const size_t count = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return count == 0 || has_failed ? 1 : 0;
}

}  // namespace mooring::benchmarks
