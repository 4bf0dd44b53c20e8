#include "testing/random/invariant.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "testing/support/errors.h"

namespace mooring::workload {
namespace {

struct Place {
  uint64_t seed = 0;
  uint64_t episode = 0;
  std::string role = "main";
};
thread_local Place place;

}  // namespace

void NameThread(uint64_t seed, uint64_t episode, std::string role) {
  place = Place{.seed = seed, .episode = episode, .role = std::move(role)};
}

void Violate(const char* file, int line, const char* claim, const char* format, ...) {
  static std::mutex once;  // never unlocked: only the first violation is reported
  once.lock();
  std::fprintf(stderr, "%s:%d: violated: %s\n  ", file, line, claim);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "\n  seed %" PRIu64 ", episode %" PRIu64 ", %s\n", place.seed, place.episode,
               place.role.c_str());
  std::fflush(nullptr);
  std::abort();
}

void Must(const char* file, int line, const char* call, mooring_error_t* error) {
  const conformance::Failure failure = conformance::Take(error);
  if (!failure.ok()) Violate(file, line, call, "%s", failure.ToString().c_str());
}

mooring_code_t CodeOf(mooring_error_t* error) {
  const conformance::Failure failure = conformance::Take(error);
  INVARIANT(failure.ok() || (!failure.message.empty() && !failure.remedy.empty()), "%s",
            failure.ToString().c_str());
  return failure.code;
}

}  // namespace mooring::workload
