// ExecuteSocket: one request of a socket's own opcodes, and POLL, on a worker, as far as it goes
// without waiting for a peer.
//
// What each opcode does and answers is what io_uring does (measured on Linux 6.18):
// - What is not ready waits, also with O_NONBLOCK set, unless MSG_DONTWAIT says otherwise.
// - With MSG_WAITALL a stream goes on until all has moved, the stream ends, or an error comes; what
//   had moved before an error or a cancellation is the result. The error is told by the next send
//   (EPIPE), but by no receive: the socket has given it away.
// - POLLERR, POLLHUP and POLLRDHUP are reported without being asked for.
//
// The caller's socket is the caller's: its O_NONBLOCK, which others see, is never touched. Hence an
// accept on a listener that blocks is tried only when poll(2) says that it will not, one at a time;
// should another process take the connection in between, the worker waits for the next. And a
// connect that would block is given a send timeout of one tick (SO_SNDTIMEO, socket(7)), after
// which it goes on by itself; the timeout that was there is put back at once.
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

// `fd` stands for request.fd. `attempt` is where to go on, and is moved on; `moved_bytes` is what
// has moved so far.
Outcome ExecuteSocket(const Request& request, int fd, Attempt& attempt, uint32_t& moved_bytes);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_SOCKETS_H_
