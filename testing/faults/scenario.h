// scenario.h: a piece of work that the sweep runs once for every fault.
//
// A scenario is a plain function. It continues as far as the results of its calls allow, checks
// each result through the trial, and always releases everything that it acquired.
//
// Threading: immutable.
#ifndef MOORING_TESTING_FAULTS_SCENARIO_H_
#define MOORING_TESTING_FAULTS_SCENARIO_H_

#include <cstdint>
#include <span>

#include "testing/faults/trial.h"

namespace mooring::faults {

inline constexpr Mode kModes[] = {
    {"io_uring", MOORING_ENGINE_IO_URING, 0},
    {"threads", MOORING_ENGINE_THREADS, 0},
    {"owner", MOORING_ENGINE_IO_URING, MOORING_RING_OWNER_THREAD},
    {"sqpoll", MOORING_ENGINE_IO_URING, MOORING_RING_SQPOLL},
    {"auto", MOORING_ENGINE_AUTO, 0},
};

// Bits of kModes, by position.
enum ModeBit : uint32_t {
  kInIoUring = 1u << 0,
  kInThreads = 1u << 1,
  kInOwner = 1u << 2,
  kInSqpoll = 1u << 3,
  kInAuto = 1u << 4,
  kInBoth = kInIoUring | kInThreads,
  kInNamed = kInBoth | kInOwner | kInSqpoll,
};

struct Scenario {
  const char* name;
  void (*run)(Trial& trial);
  uint32_t modes;                // ModeBit
  uint32_t first_use_modes = 0;  // modes in which it also runs first in a process
};

std::span<const Scenario> ObjectScenarios();
std::span<const Scenario> FileScenarios();
std::span<const Scenario> WaitingScenarios();
std::span<const Scenario> SocketScenarios();

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_SCENARIO_H_
