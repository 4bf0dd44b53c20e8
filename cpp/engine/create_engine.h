// CreateEngine: the ladder from what the caller would like to what the kernel gives.
//
// Only EngineKind::kAuto falls from io_uring to threads, and EngineInfo then says why (reason,
// errno, message, remedy). A kind that was named is never replaced: creation fails with the same
// text.
#ifndef MOORING_CPP_ENGINE_CREATE_ENGINE_H_
#define MOORING_CPP_ENGINE_CREATE_ENGINE_H_

#include <memory>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

Result<std::unique_ptr<Engine>> CreateEngine(const EngineOptions& options);

// What CreateEngine would find now: makes a small io_uring, looks at it, closes it. Without
// io_uring, `kind` is kThreads and reason, message and remedy say why.
EngineInfo ProbeEngine();

// True when this kernel charges rings themselves to RLIMIT_MEMLOCK (6.14 to 7.0, before 5.12), as a
// ring made by this process would be charged, were it not exempt. An exempt process cannot try that
// without giving its exemption up, so it is read from what shows of the kernel otherwise
// (uring.cc), not from its release; a process under a limit that lets no ring be made has its
// answer by that.
bool RingsAreCharged();

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_CREATE_ENGINE_H_
