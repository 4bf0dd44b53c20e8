// RingOptions: the options of a new ring, as in mooring_ring_options_t.
//
// Threading: a value.
#ifndef MOORING_CPP_RING_RING_OPTIONS_H_
#define MOORING_CPP_RING_RING_OPTIONS_H_

#include <cstdint>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

// 0 stands for the default value of an option.
struct RingOptions {
  EngineKind engine = EngineKind::kAuto;
  bool owner_thread = false;
  bool sqpoll = false;
  bool raise_memlock = false;
  uint32_t submission_count = 0;
  uint32_t completion_count = 0;
  uint32_t in_flight_max = 0;
  uint32_t fixed_buffer_count = 0;
  uint32_t fixed_file_count = 0;
  uint32_t worker_count = 0;
  uint32_t sqpoll_idle_ms = 0;
};

// Returns the engine's options, with defaults filled in. in_flight_max counts operations only.
// Errors: INVALID_ARGUMENT if an option is too large, or if two options exclude each other.
Result<EngineOptions> Normalise(const RingOptions& options);

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_OPTIONS_H_
