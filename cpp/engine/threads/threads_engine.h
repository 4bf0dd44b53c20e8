// The threads engine: the operations of io_uring, executed by a pool of workers with pread(2),
// pwrite(2) and similar calls, where io_uring is missing or denied. It has the same opcodes,
// results and order, and costs more CPU time and latency.
//
// Lifecycle: CreateThreadsEngine allocates everything and starts the workers and the poller, one
// thread that waits for descriptors and the clock. The destructor ends them. It drops requests that
// are queued or wait, without an event. It waits for requests that a worker executes (a disk may
// take long). In a fork child there are no threads, and the destructor only frees memory and
// descriptors.
//
// Differences from io_uring:
// - There are no fixed buffers: info().table_error is EOPNOTSUPP, and a request that names a slot
//   gets -EFAULT.
// - A cancellation also finds requests that wait in a chain or behind a drain. A drain does not
//   hold a cancellation outside of a chain.
// - A request that has not started knows its file by number only: the descriptor must stay
//   open until then.
//
// Threading: as in engine.h. owner_thread makes nothing faster here: IsOwner reports the owner, but
// calls from other threads work.
#ifndef MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_
#define MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_

#include <memory>

#include "cpp/base/result.h"
#include "cpp/engine/engine.h"

namespace mooring {

// Ignores options.kind and options.sqpoll: CreateEngine rejects requests for a feature by name.
// Where fewer threads can be started than wanted, info().worker_count is the number started.
//
// Errors: EXHAUSTED (memory, descriptors, no worker can be started).
Result<std::unique_ptr<Engine>> CreateThreadsEngine(const EngineOptions& options);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_THREADS_ENGINE_H_
