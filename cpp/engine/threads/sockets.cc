#include "cpp/engine/threads/sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace mooring {
namespace {

// If the descriptor cannot be watched: waits here, on this worker, and returns true. False
// otherwise.
bool BlockIfUnwatchable(Attempt attempt, int fd, uint32_t events) {
  if (attempt != Attempt::kBlocking) return false;
  const Interruptible interruptible;
  (void)PollOnce(fd, events, -1);
  return true;
}

// Returns an option of level SOL_SOCKET, or -1 with errno set.
int OptionOf(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool IsNonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

// True for the sockets on which io_uring honours MSG_WAITALL. A datagram moves in one call.
bool RepeatsUntilWhole(int fd) {
  const int type = OptionOf(fd, SO_TYPE);
  return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

bool IsSend(const Request& request) {
  return request.opcode == Opcode::kSend || request.opcode == Opcode::kSendmsg;
}

// Moves the rest of a message of which `moved_bytes` have moved. The ranges of the caller do not
// change: a request may take several attempts.
ssize_t SendOrRecvMessage(const Request& request, int fd, uint32_t moved_bytes, int flags) {
  const auto* const whole = static_cast<const msghdr*>(request.address);
  iovec ranges[kSegmentCountMax];
  size_t count = 0;
  size_t skip = moved_bytes;
  for (size_t i = 0; i < whole->msg_iovlen; ++i) {
    const iovec& range = whole->msg_iov[i];
    const size_t skipped = std::min(skip, range.iov_len);
    skip -= skipped;
    if (skipped > 0 && skipped == range.iov_len) continue;
    ranges[count++] = {static_cast<char*>(range.iov_base) + skipped, range.iov_len - skipped};
  }
  msghdr rest = {};
  rest.msg_iov = ranges;
  rest.msg_iovlen = count;
  return Uninterrupted([&] {
    return IsSend(request) ? ::sendmsg(fd, &rest, flags | MSG_NOSIGNAL)
                           : ::recvmsg(fd, &rest, flags);
  });
}

ssize_t SendOrRecv(const Request& request, int fd, uint32_t moved_bytes) {
  const int flags = static_cast<int>(request.parameter) | MSG_DONTWAIT;
  if (request.opcode == Opcode::kSendmsg || request.opcode == Opcode::kRecvmsg) {
    return SendOrRecvMessage(request, fd, moved_bytes, flags);
  }
  char* const data = static_cast<char*>(request.address) + moved_bytes;
  const size_t size = request.size64 - moved_bytes;
  return Uninterrupted([&] {
    return IsSend(request) ? ::send(fd, data, size, flags | MSG_NOSIGNAL)
                           : ::recv(fd, data, size, flags);
  });
}

Outcome Transfer(const Request& request, int fd, Attempt attempt, uint32_t& moved_bytes) {
  const uint32_t events = IsSend(request) ? POLLOUT : POLLIN;
  const bool may_wait = (request.parameter & MSG_DONTWAIT) == 0;
  const bool whole = (request.parameter & MSG_WAITALL) != 0;
  while (true) {
    const ssize_t moved = SendOrRecv(request, fd, moved_bytes);
    if (moved < 0 && errno == EAGAIN && may_wait) {
      if (BlockIfUnwatchable(attempt, fd, events)) continue;
      return NotReady(events);
    }
    if (moved < 0) return moved_bytes > 0 ? Done(moved_bytes) : Done(moved);
    moved_bytes += static_cast<uint32_t>(moved);
    // MSG_TRUNC may return more than the size asked for (recv(2)).
    const bool over = moved == 0 || moved_bytes >= request.size64;
    if (over || !whole || !RepeatsUntilWhole(fd)) return Done(moved_bytes);
  }
}

int AcceptNow(const Request& request, int fd) {
  // Between poll(2) and accept4(2), another process may take the connection, or clear O_NONBLOCK.
  const Interruptible interruptible;
  return Uninterrupted([&] {
    return ::accept4(fd, static_cast<sockaddr*>(request.address),
                     reinterpret_cast<socklen_t*>(request.file_offset),
                     static_cast<int>(request.parameter));
  });
}

// A blocking listener is first watched, which duplicates its descriptor, and then polled under the
// exclusive poll: while a task waits for that, its number must not name another file.
Outcome Accept(const Request& request, int fd, Attempt& attempt) {
  if (attempt == Attempt::kFirst && OptionOf(fd, SO_ACCEPTCONN) == 1 && !IsNonblocking(fd)) {
    attempt = Attempt::kWatched;
    return NotReady(POLLIN);
  }
  if (attempt == Attempt::kWatched) {
    attempt = Attempt::kPolled;
    return Outcome{Outcome::Step::kNeedsExclusivePoll, 0, 0};
  }
  if (attempt == Attempt::kPolled && PollOnce(fd, POLLIN, 0) == 0) return NotReady(POLLIN);
  while (true) {
    BlockIfUnwatchable(attempt, fd, POLLIN);
    const int accepted = AcceptNow(request, fd);
    if (accepted >= 0 || errno != EAGAIN) return Done(accepted);
    if (attempt != Attempt::kBlocking) return NotReady(POLLIN);
  }
}

// One tick is the minimum (socket(7)).
constexpr timeval kOneTick = {.tv_sec = 0, .tv_usec = 1};

int ConnectWithTimeout(const Request& request, int fd) {
  const auto connect = [&] {
    return ::connect(fd, static_cast<const sockaddr*>(request.address),
                     static_cast<socklen_t>(request.size64));
  };
  // These never wait for a peer.
  if (IsNonblocking(fd) || OptionOf(fd, SO_TYPE) == SOCK_DGRAM) return connect();
  timeval before = {};
  socklen_t size = sizeof(before);
  if (::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, &size) != 0) return -1;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kOneTick, sizeof(kOneTick));
  const int result = connect();
  const int error = errno;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, sizeof(before));
  errno = error;
  return result;
}

Outcome Connect(const Request& request, int fd, Attempt& attempt) {
  if (attempt == Attempt::kFirst && !IsNonblocking(fd)) {
    // Two connects at the same time would each restore the other's send timeout.
    attempt = Attempt::kPolled;
    return Outcome{Outcome::Step::kNeedsExclusivePoll, 0, 0};
  }
  while (true) {
    const bool begun = attempt == Attempt::kConnecting || attempt == Attempt::kBlocking;
    if (ConnectWithTimeout(request, fd) == 0) return Done(0);
    switch (errno) {
      case EISCONN:
        return begun ? Done(0) : Failed(-EISCONN);
      case EALREADY:
        if (!begun) return Failed(-EALREADY);
        break;
      case EAGAIN: {
        // The queue of an AF_UNIX listener is full; poll(2) does not report that.
        const auto* const address = static_cast<const sockaddr*>(request.address);
        if (address->sa_family != AF_UNIX) return Failed(-EAGAIN);
        if (attempt != Attempt::kBlocking) return NotReady(POLLOUT);
        const Interruptible interruptible;
        ::poll(nullptr, 0, 1);
        continue;
      }
      case EINPROGRESS:
      case EINTR:  // the connect continues in the kernel (connect(2))
        if (!begun) attempt = Attempt::kConnecting;
        break;
      default:
        return Failed(-errno);
    }
    if (!BlockIfUnwatchable(attempt, fd, POLLOUT)) return NotReady(POLLOUT);
  }
}

// Regular files and directories are always ready for reads and writes, and report no other event.
bool IsAlwaysReady(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

Outcome Poll(const Request& request, int fd, Attempt attempt) {
  const uint32_t events = static_cast<uint32_t>(request.parameter) | POLLERR | POLLHUP | POLLRDHUP;
  // The wait would not end, on a worker that no cancellation reaches.
  if (attempt == Attempt::kBlocking && IsAlwaysReady(fd)) return Failed(-EINVAL);
  BlockIfUnwatchable(attempt, fd, events);
  const uint32_t ready = PollOnce(fd, events, 0);
  if (ready == 0) return NotReady(events);
  return (ready & POLLNVAL) != 0 ? Failed(-EBADF) : Done(ready);
}

}  // namespace

Outcome ExecuteSocket(const Request& request, int fd, Attempt& attempt, uint32_t& moved_bytes) {
  switch (request.opcode) {
    case Opcode::kSend:
    case Opcode::kRecv:
    case Opcode::kSendmsg:
    case Opcode::kRecvmsg:
      return Transfer(request, fd, attempt, moved_bytes);
    case Opcode::kAccept:
      return Accept(request, fd, attempt);
    case Opcode::kConnect:
      return Connect(request, fd, attempt);
    case Opcode::kShutdown:
      return Done(::shutdown(fd, static_cast<int>(request.parameter)));
    case Opcode::kPoll:
      return Poll(request, fd, attempt);
    default:
      return Failed(-EINVAL);
  }
}

}  // namespace mooring
