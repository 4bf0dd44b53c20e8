// IoUringEngine: the Engine that uses an io_uring. It consists of a submission side and a
// completion side, which share only the failed events, and of the ring's tables.
//
// Lifecycle and threading: see engine.h. In a fork child only the destructor may be called; it does
// not affect the parent's ring.
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

// On failure null, with the reason in `*why`. The kind in `options` only decides whether a ring
// without SQPOLL is accepted (setup.h).
std::unique_ptr<Engine> CreateIoUringEngine(const EngineOptions& options, Unavailability* why,
                                            const UringCalls& calls = kKernelCalls);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_IO_URING_ENGINE_H_
