// The threads engine: what io_uring does, by a pool of workers over pread(2), pwrite(2) and the
// like, where io_uring is missing or denied. Same opcodes, same results, same order; more CPU and
// more latency.
//
// Lifecycle: CreateThreadsEngine makes everything, and starts the workers and one thread that waits
// for descriptors and the clock. The destructor ends them: requests that are queued or wait are
// dropped without an event, those that a worker is at are finished first (a disk may take its
// time). In a fork child there are no threads, and the destructor only frees.
//
// Differences from io_uring that remain:
// - There are no fixed buffers: info().table_error is EOPNOTSUPP, and a request that names a slot
//   gets -EFAULT.
// - A cancellation also finds requests that wait in a chain or behind a drain, and is itself never
//   held back by a drain.
// - Until a request has begun, it knows its file by number only: a descriptor must stay open that
//   long.
//
// Threading: as engine.h says. With owner_thread nothing is quicker here; IsOwner tells, and nobody
// is refused.
#ifndef MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_
#define MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_

#include <memory>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

// options.kind is not looked at, and sqpoll has no meaning here: refusing what was asked for by
// name is the business of CreateEngine. Where fewer threads can be started than wanted,
// info().worker_count says how many were.
//
// Errors: EXHAUSTED (memory, descriptors, not even one worker).
Result<std::unique_ptr<Engine>> CreateThreadsEngine(const EngineOptions& options);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_
