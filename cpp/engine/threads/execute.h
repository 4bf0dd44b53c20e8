// Execute: executes one request that is not a socket opcode on a worker, as far as it can without
// waiting for an event that may never come.
//
// The opcodes behave as in io_uring (measured on Linux 6.18; where kernel versions differ, as in
// the later ones):
// - Reads and writes ignore their offset where the file has no positions (pipes, sockets).
// - A request on a stream that is not ready waits, also with O_NONBLOCK set. A write to a stream
//   stops where it would have to wait, and returns the number of bytes written.
// - openat opens a FIFO as if with O_NONBLOCK: for reading it succeeds immediately, for writing it
//   returns -ENXIO without a reader. With O_CREAT or O_TRUNC it waits as open(2) does.
// - A write to a pipe or socket without a reader returns -EPIPE, without SIGPIPE.
//
// Three kinds of request block their worker: those on a character device that takes offsets and yet
// waits (/dev/kmsg), those with Attempt::kBlocking, and an openat that waits. Only there can the
// destructor of the engine end the thread (pthread_cancel(3)).
//
// Threading: workers only, started by thread.h. Other threads would receive SIGPIPE.
#ifndef MOORING_CPP_ENGINE_THREADS_EXECUTE_H_
#define MOORING_CPP_ENGINE_THREADS_EXECUTE_H_

#include "cpp/engine/request.h"
#include "cpp/engine/threads/outcome.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

// Uses `fd` in place of request.fd. Starts at `attempt` and advances it. Socket opcodes are in
// sockets.h.
Outcome Execute(const Request& request, int fd, Attempt& attempt);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EXECUTE_H_
