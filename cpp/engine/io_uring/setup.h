// SetUpUring: the ladder of io_uring_setup(2): from the newest flags that serve the options down to
// those of 5.6, step by step where the kernel answers EINVAL; smaller queues where it answers
// ENOMEM. What cannot be had is said in a Unavailability.
//
// Threading: any thread; with owner_thread, the ring is the calling thread's.
//
//   Uring uring;
//   Unavailability why;
//   if (!SetUpUring(kKernelCalls, options, &uring, &why)) return
//   why.ToStatus();
#ifndef MOORING_CPP_ENGINE_IO_URING_SETUP_H_
#define MOORING_CPP_ENGINE_IO_URING_SETUP_H_

#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/calls.h"
#include "cpp/engine/io_uring/unavailability.h"
#include "cpp/engine/io_uring/uring.h"

namespace mooring {

// True with a ring in `*uring`, false with the reason in `*why`. With EngineKind::kAuto,
// SQPOLL is a wish: a kernel that refuses it gives a ring without.
bool SetUpUring(const UringCalls& calls, const EngineOptions& options, Uring* uring,
                Unavailability* why);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_SETUP_H_
