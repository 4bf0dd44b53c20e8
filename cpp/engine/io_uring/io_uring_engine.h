// IoUringEngine: the Engine over an io_uring. It puts together a submission side and a completion
// side, which share no state but the failed events between them, and the ring's tables.
//
// Lifecycle and threading: see engine.h. In a fork child only the destructor may be called; it
// leaves the parent's ring alone.
//
//   Unavailability why;
//   std::unique_ptr<Engine> engine = CreateIoUringEngine(options, &why);
//   if (engine == nullptr) return why.ToStatus();
#ifndef MOORING_CPP_ENGINE_IO_URING_IO_URING_ENGINE_H_
#define MOORING_CPP_ENGINE_IO_URING_IO_URING_ENGINE_H_

#include <memory>

#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/calls.h"
#include "cpp/engine/io_uring/unavailability.h"

namespace mooring {

// Null with the reason in `*why`. Looks at no EngineKind but for SQPOLL (setup.h).
std::unique_ptr<Engine> CreateIoUringEngine(const EngineOptions& options, Unavailability* why,
                                            const UringCalls& calls = kKernelCalls);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_IO_URING_ENGINE_H_
