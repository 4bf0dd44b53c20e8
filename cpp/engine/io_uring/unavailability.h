// Unavailability: the reason why there is no io_uring, with the message and remedy that the user
// sees: in the info of the threads engine that replaces it, or in an error. One errno of
// io_uring_setup(2) has several causes; further checks distinguish them.
//
// Threading: a value.
//
//   const Unavailability why = ExplainSetupFailure(kKernelCalls, -EPERM);
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
  // kNone: the cause is temporary, or affects the threads engine too.
  EngineReason reason = EngineReason::kNone;
  Code code = Code::kInternal;
  Retry retry = Retry::kNever;
  int32_t system_error = 0;  // positive, as EngineInfo's
  std::string message;
  std::string remedy;

  Status ToStatus() const { return Status(code, retry, message, remedy, system_error); }
};

// `result` is the negative errno of io_uring_setup, but not -ENOMEM.
Unavailability ExplainSetupFailure(const UringCalls& calls, int result);

// The sizes of the ring that the caller asked for and of the smallest ring that was tried.
struct RingBytes {
  uint64_t wanted = 0;
  uint64_t smallest = 0;
};
// io_uring_setup returned -ENOMEM: because of RLIMIT_MEMLOCK, or else for lack of memory.
Unavailability ExplainNoMemory(const RingBytes& bytes, const MemlockLimits& limits);

// The ring was made, but the kernel lacks something that the engine needs. `what` completes the
// sentence: "it has no IORING_OP_READ".
Unavailability ExplainTooOld(const std::string& what);
// The ring was made, but `call`, which the engine needs, returned the negative errno `result`:
// because of a seccomp filter, or for a temporary lack of a resource.
Unavailability ExplainDeniedCall(const char* call, int result);
// The caller requires SQPOLL, and the kernel has io_uring without it. `result` is a negative errno.
Unavailability ExplainNoSqpoll(int result);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_UNAVAILABILITY_H_
