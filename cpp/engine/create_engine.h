// CreateEngine: makes the engine that the caller asks for, or the best that the kernel allows.
//
// Only EngineKind::kAuto falls back from io_uring to threads. EngineInfo then has the reason
// (reason, errno, message, remedy). A kind that the caller names is never replaced: where it is not
// available, creation fails with the same text.
#ifndef MOORING_CPP_ENGINE_CREATE_ENGINE_H_
#define MOORING_CPP_ENGINE_CREATE_ENGINE_H_

#include <memory>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

Result<std::unique_ptr<Engine>> CreateEngine(const EngineOptions& options);

// Reports what CreateEngine would find now: makes a small io_uring, reads its features, closes it.
// Without io_uring, `kind` is kThreads, and reason, message and remedy are set.
EngineInfo ProbeEngine();

// True when this kernel charges rings themselves to RLIMIT_MEMLOCK (6.14 to 7.0, before 5.12). A
// process that is exempt cannot find out by making a ring. So the answer is derived from other
// behaviour of the kernel (uring.cc), not from its release. Where the limit allows no ring, the
// ENOMEM is the answer.
bool RingsAreCharged();

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_CREATE_ENGINE_H_
