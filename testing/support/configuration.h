// configuration.h: one state of a machine, and what Mooring must do in it.
//
// A configuration defines how its process is prepared, what the machine must have for it, and which
// options its rings and slabs take. Once the process is prepared, it also defines which path every
// operation must take. One test program has one configuration and all suites. The suites take their
// expectations from the configuration, never from the library.
//
//   MOORING_CONFIGURATION({.name = "threads", .ring_options = &AskForThreads, .expect = &Expect});
//
// Threading: registered before main, read-only afterwards.
#ifndef MOORING_TESTING_SUPPORT_CONFIGURATION_H_
#define MOORING_TESTING_SUPPORT_CONFIGURATION_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <string>

#include "testing/support/preparation.h"

namespace mooring::conformance {

// What a test needs from a configuration. A test runs in the configurations that have all that it
// needs.
enum Capability : uint32_t {
  kAnywhere = 0,
  kIoUring = 1u << 0,      // the rings' engine is io_uring
  kThreads = 1u << 1,      // the rings' engine is threads
  kPinned = 1u << 2,       // a whole slab of kSlabBytes is pinned, with room for more
  kPartial = 1u << 3,      // memlock limits a slab of kSlabBytes to a pinned part
  kAnyThread = 1u << 4,    // calls from any thread
  kOwnerThread = 1u << 5,  // calls from the creating thread only
  kNoMemlock = 1u << 6,    // the memlock limit is 0
  kBasePages = 1u << 7,    // slabs of any size, not only of whole huge pages
  kFallenBack = 1u << 8,   // MOORING_ENGINE_AUTO falls back to threads
  kCloning = 1u << 9,      // rings share pins, where the kernel can clone
  kNoCloning = 1u << 10,   // rings never share pins
  kZeroCopy = 1u << 11,    // sends of pinned bytes are zero-copy, where the kernel has it
  kNoZeroCopy = 1u << 12,  // sends are never zero-copy
  kWholeTable = 1u << 13,  // slabs are pinned and released only once nothing is in flight
  kNoTags = 1u << 14,      // the kernel does not report that it has released a slot
};

// The size of the suites' slab. Several of them fit in the usual memlock limit of 8 MiB of an
// unprivileged user.
inline constexpr uint64_t kBufferBytes = 64 * 1024;
inline constexpr uint64_t kBufferCount = 32;
inline constexpr uint64_t kSlabBytes = kBufferBytes * kBufferCount;

struct Expectation {
  mooring_engine_t engine = MOORING_ENGINE_IO_URING;
  mooring_engine_reason_t engine_reason = MOORING_ENGINE_REASON_NONE;
  int32_t engine_system_error = 0;
  mooring_outcome_t outcome = MOORING_OUTCOME_FIXED;  // of a slab of kSlabBytes under PREFER
  mooring_reason_t reason = MOORING_REASON_NONE;
  uint32_t ring_flags = 0;                               // MOORING_RING_* as obtained
  mooring_code_t named_io_uring_code = MOORING_CODE_OK;  // of a request for io_uring by name
  uint32_t capabilities = kAnywhere;
};

struct Configuration {
  const char* name = nullptr;
  Preparation preparation;
  // Returns "" when the prepared process has what the configuration needs, else the name of the
  // missing feature.
  std::string (*missing)() = nullptr;
  Expectation (*expect)() = nullptr;
  void (*ring_options)(mooring_ring_options_t* options) = nullptr;  // may be null
  void (*slab_options)(mooring_slab_options_t* options) = nullptr;  // may be null
};

// The configuration of this program and its expectation. Main sets them before the first test.
const Configuration& CurrentConfiguration();
const Expectation& CurrentExpectation();
void SetCurrentExpectation(const Expectation& expectation);

// Aborts on a second call: a program has one configuration.
bool RegisterConfiguration(const Configuration& configuration);

// Expectations that several configurations share.
Expectation PinnedExpectation();
Expectation ThreadsExpectation(mooring_engine_reason_t reason, int32_t system_error);
// Returns the feature that is missing for pinned rings: "io_uring", "memlock" or "".
std::string MissingForPinning();

}  // namespace mooring::conformance

#define MOORING_CONFIGURATION(...)                   \
  [[maybe_unused]] static const bool kIsRegistered = \
      ::mooring::conformance::RegisterConfiguration( \
          ::mooring::conformance::Configuration __VA_ARGS__)

#endif  // MOORING_TESTING_SUPPORT_CONFIGURATION_H_
