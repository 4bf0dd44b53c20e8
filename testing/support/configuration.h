// configuration.h: one way that a machine can be, and what Mooring must make of it.
//
// A configuration says how its process is prepared, what the machine must have for it, which
// options its rings and slabs take, and, once the process is prepared, which path everything must
// take. One test program holds one configuration and every suite; the suites ask the configuration,
// and never the library, what to expect.
//
//   MOORING_CONFIGURATION({.name = "threads", .ring_options = &AskForThreads, .missing = &Nothing,
//   .expect = &Expect});
//
// Threading: registered before main, read-only afterwards.
#ifndef MOORING_TESTING_SUPPORT_CONFIGURATION_H_
#define MOORING_TESTING_SUPPORT_CONFIGURATION_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <string>

#include "testing/support/preparation.h"

namespace mooring::conformance {

// What a test can need of a configuration; a test runs where all that it needs is there.
enum Capability : uint32_t {
  kAnywhere = 0,
  kIoUring = 1u << 0,        // the rings' engine is io_uring
  kThreads = 1u << 1,        // the rings' engine is threads
  kPinned = 1u << 2,         // a slab of kSlabBytes is pinned whole, and some more with it
  kPartial = 1u << 3,        // a slab of kSlabBytes is pinned in part, for want of memlock
  kAnyThread = 1u << 4,      // calls from any thread
  kOwnerThread = 1u << 5,    // calls from the creating thread only
  kNoMemlock = 1u << 6,      // the memlock limit is 0
  kOrdinaryPages = 1u << 7,  // slabs of any size; not only of whole huge pages
  kFallenBack = 1u << 8,     // MOORING_ENGINE_AUTO gives threads although nobody asked for them
  kCloning = 1u << 9,        // rings share pins, where the kernel can
  kNoCloning = 1u << 10,     // they never do
  kZeroCopy = 1u << 11,      // sends of pinned bytes are zero-copy, where the kernel can
  kNoZeroCopy = 1u << 12,    // they never are
  kWholeTable =
      1u << 13,        // slabs are pinned and let go only while nothing is in flight, else later
  kNoTags = 1u << 14,  // the kernel does not tell when it let go of a slot
};

// The size of the suites' slab: small enough for an ordinary user's memlock limit of 8 MiB,
// together with a few more.
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
  mooring_code_t named_io_uring_code = MOORING_CODE_OK;  // what asking for io_uring by name gives
  uint32_t capabilities = kAnywhere;
};

struct Configuration {
  const char* name = nullptr;
  Preparation preparation;
  // "" when the prepared process has what the configuration needs, else the feature that is
  // missing.
  std::string (*missing)() = nullptr;
  Expectation (*expect)() = nullptr;
  void (*ring_options)(mooring_ring_options_t* options) = nullptr;  // may be null
  void (*slab_options)(mooring_slab_options_t* options) = nullptr;  // may be null
};

// The configuration of this program, and what it expects: set by main before the first test.
const Configuration& CurrentConfiguration();
const Expectation& CurrentExpectation();
void SetCurrentExpectation(const Expectation& expectation);

// Aborts on the second: a program has one configuration.
bool RegisterConfiguration(const Configuration& configuration);

// Expectations that several configurations share.
Expectation PinnedExpectation();
Expectation ThreadsExpectation(mooring_engine_reason_t reason, int32_t system_error);
// What pinned rings need: "io_uring", "memlock" or "".
std::string MissingForPinning();

}  // namespace mooring::conformance

#define MOORING_CONFIGURATION(...)                   \
  [[maybe_unused]] static const bool kIsRegistered = \
      ::mooring::conformance::RegisterConfiguration( \
          ::mooring::conformance::Configuration __VA_ARGS__)

#endif  // MOORING_TESTING_SUPPORT_CONFIGURATION_H_
