// RingOptions: what the caller asks for when it creates a ring, as mooring_ring_options_t says it.
//
// Threading: a value.
#ifndef MOORING_CPP_RING_RING_OPTIONS_H_
#define MOORING_CPP_RING_RING_OPTIONS_H_

#include <cstdint>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

// As mooring_ring_options_t; 0 is the default there and here.
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

// The engine's options, with defaults filled in. in_flight_max counts operations only. Errors:
// INVALID_ARGUMENT names the option that is too large, or the two that exclude each other.
Result<EngineOptions> Normalise(const RingOptions& options);

}  // namespace mooring

#endif  // MOORING_CPP_RING_RING_OPTIONS_H_
