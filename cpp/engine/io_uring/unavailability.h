// Unavailability: why there is no io_uring here, in the words that a caller gets, either with the
// threads that stand in for it or as an error. io_uring_setup(2) answers with an errno that has
// many causes; they are told apart by looking further.
//
// Threading: a value.
//
//   Unavailability why = ExplainSetupFailure(kKernelCalls, -EPERM);
//   if (why.reason == EngineReason::kNone) return why.ToStatus();
#ifndef MOORING_CPP_ENGINE_IO_URING_UNAVAILABILITY_H_
#define MOORING_CPP_ENGINE_IO_URING_UNAVAILABILITY_H_

#include <cstdint>
#include <string>

#include "cpp/base/status.h"
#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/calls.h"
#include "cpp/os/memlock.h"

namespace mooring {

struct Unavailability {
  EngineReason reason = EngineReason::kNone;  // kNone: of this attempt only, and the threads engine
                                              // would fare no better
  Code code = Code::kInternal;
  Retry retry = Retry::kNever;
  int32_t system_error = 0;  // positive, as EngineInfo's
  std::string message;
  std::string remedy;

  Status ToStatus() const { return Status(code, retry, message, remedy, system_error); }
};

// `result` is io_uring_setup's negative errno; not -ENOMEM.
Unavailability ExplainSetupFailure(const UringCalls& calls, int result);

// ENOMEM from io_uring_setup: memlock, or else memory. The caller asked for `wanted_bytes` of
// rings; the smallest that was tried takes `least_bytes`.
struct RingBytes {
  uint64_t wanted = 0;
  uint64_t smallest = 0;
};
Unavailability ExplainNoMemory(const RingBytes& bytes, const MemlockLimits& limits);

// The ring is there, but not what the engine needs of it: `what` says what is missing.
Unavailability ExplainTooOld(const std::string& what);
// A ring was made, but `result`, a negative errno, is what `call` answers, without which it is no
// use: a filter's word, unless it is one of the moment.
Unavailability ExplainDeniedCall(const char* call, int result);
// SQPOLL was asked for by name. `result` is a negative errno.
Unavailability ExplainNoSqpoll(int result);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_UNAVAILABILITY_H_
