// ExecuteSocket: executes one request with a socket opcode, or POLL, on a worker, as far as it can
// without waiting for a peer.
//
// The opcodes behave as in io_uring (measured on Linux 6.18):
// - A request that is not ready waits, also with O_NONBLOCK set, except with MSG_DONTWAIT.
// - With MSG_WAITALL a stream continues until all bytes have moved, the stream ends, or an error
//   occurs. The bytes moved before an error or a cancellation are the result. The next send returns
//   the error (EPIPE), the next receive does not: the socket has cleared it.
// - POLLERR, POLLHUP and POLLRDHUP are always reported.
//
// O_NONBLOCK belongs to the open socket, which other users share: it is never changed here. An
// accept on a blocking listener is therefore tried only when poll(2) reports a connection, one
// accept at a time; if another process takes that connection first, the worker waits for the next.
// A connect that would block gets a send timeout of one tick (SO_SNDTIMEO, socket(7)), after which
// it continues in the kernel; the previous timeout is restored immediately.
//
// Threading: workers only (thread.h).
#ifndef MOORING_CPP_ENGINE_THREADS_SOCKETS_H_
#define MOORING_CPP_ENGINE_THREADS_SOCKETS_H_

#include <cstdint>

#include "cpp/engine/request.h"
#include "cpp/engine/threads/outcome.h"
#include "cpp/engine/threads/task.h"

namespace mooring {

inline bool IsSocketOpcode(Opcode opcode) { return opcode >= Opcode::kSend; }

// Uses `fd` in place of request.fd. Starts at `attempt` and advances it. `moved_bytes` is the
// number of bytes moved so far.
Outcome ExecuteSocket(const Request& request, int fd, Attempt& attempt, uint32_t& moved_bytes);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_SOCKETS_H_
