// Execute: one request that is no socket's, on a worker, as far as it goes without waiting for what
// may never come.
//
// What each opcode does and answers is what io_uring does (measured on Linux 6.18, and where it
// differs between versions, as the later ones do):
// - Reads and writes at an offset ignore it where the file has no positions (pipes, sockets).
// - A stream that is not ready waits, also with O_NONBLOCK set; a write to one stops where it would
//   have to wait, and answers what it wrote.
// - openat opens a FIFO as if with O_NONBLOCK: for reading at once, for writing -ENXIO without a
//   reader. With O_CREAT or O_TRUNC it waits as open(2) does.
// - A write to a pipe or socket without a reader answers -EPIPE, without SIGPIPE.
//
// A character device that takes offsets and yet waits (/dev/kmsg) keeps its worker, as do the cases
// of Attempt::kBlocking and an openat that waits. Only there can the thread be ended from outside
// (pthread_cancel(3)), by the engine's destructor.
//
// Threading: workers only, started by thread.h: elsewhere SIGPIPE would be delivered.
#ifndef MOORING_CPP_ENGINE_THREADS_EXECUTE_H_
#define MOORING_CPP_ENGINE_THREADS_EXECUTE_H_

#include "cpp/engine/request.h"
#include "cpp/engine/threads/outcome.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

// `fd` stands for request.fd. `attempt` is where to go on, and is moved on. Sockets' own opcodes
// are those of sockets.h.
Outcome Execute(const Request& request, int fd, Attempt& attempt);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_EXECUTE_H_
