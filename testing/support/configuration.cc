#include "testing/support/configuration.h"

#include <cstdio>
#include <cstdlib>

#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

// Inside functions, so that they are constructed before any static object that registers something.
Configuration& TheConfiguration() {
  static Configuration configuration;
  return configuration;
}

Expectation& TheExpectation() {
  static Expectation expectation;
  return expectation;
}

}  // namespace

const Configuration& CurrentConfiguration() { return TheConfiguration(); }
const Expectation& CurrentExpectation() { return TheExpectation(); }
void SetCurrentExpectation(const Expectation& expectation) { TheExpectation() = expectation; }

bool RegisterConfiguration(const Configuration& configuration) {
  if (TheConfiguration().name != nullptr) {
    std::fprintf(stderr, "two configurations in one program: %s and %s\n", TheConfiguration().name,
                 configuration.name);
    std::abort();
  }
  TheConfiguration() = configuration;
  return true;
}

Expectation PinnedExpectation() {
  return {.capabilities = kIoUring | kPinned | kAnyThread | kBasePages | kCloning | kZeroCopy};
}

Expectation ThreadsExpectation(mooring_engine_reason_t reason, int32_t system_error) {
  return {
      .engine = MOORING_ENGINE_THREADS,
      .engine_reason = reason,
      .engine_system_error = system_error,
      .outcome = MOORING_OUTCOME_COPY,
      .reason = MOORING_REASON_ENGINE_THREADS,
      .capabilities = kThreads | kAnyThread | kBasePages,
  };
}

std::string MissingForPinning() {
  if (ProbeRing() != 0) return "io_uring";
  // Room for the slabs of two rings at the same time, and for the rings.
  return ProbePin(3 * kSlabBytes) == 0 ? "" : "memlock";
}

}  // namespace mooring::conformance
