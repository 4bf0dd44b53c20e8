// SetUpUring: the ladder of io_uring_setup(2). It starts with the newest useful flags and goes down
// to those of 5.6 while the kernel returns EINVAL. It makes the queues smaller while the kernel
// returns ENOMEM. On failure, an Unavailability has the reason.
//
// Threading: any thread; with owner_thread, the calling thread becomes the owner.
//
//   Uring uring;
//   Unavailability why;
//   if (!SetUpUring(kKernelCalls, options, &uring, &why)) return why.ToStatus();
#ifndef MOORING_CPP_ENGINE_IO_URING_SETUP_H_
#define MOORING_CPP_ENGINE_IO_URING_SETUP_H_

#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/calls.h"
#include "cpp/engine/io_uring/unavailability.h"
#include "cpp/engine/io_uring/uring.h"

namespace mooring {

// True with a ring in `*uring`, or false with the reason in `*why`. With EngineKind::kAuto, SQPOLL
// is optional: where the kernel rejects it, the ring is made without it.
bool SetUpUring(const UringCalls& calls, const EngineOptions& options, Uring* uring,
                Unavailability* why);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_SETUP_H_
