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

// For what cannot be watched: waits here, on this worker. True when there was something to wait
// for.
bool WaitHere(Attempt attempt, int fd, uint32_t events) {
  if (attempt != Attempt::kBlocking) return false;
  const Interruptible interruptible;
  (void)PollOnce(fd, events, -1);
  return true;
}

// Of SOL_SOCKET; -1 with an errno.
int OptionOf(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool IsNonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

// io_uring goes on with these only; a datagram is over when it has been moved.
bool GoesOn(int fd) {
  const int type = OptionOf(fd, SO_TYPE);
  return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

bool IsSend(const Request& request) {
  return request.opcode == Opcode::kSend || request.opcode == Opcode::kSendmsg;
}

// What is left of a message of which some has moved. Its own ranges stay as they are: a request may
// be executed in several attempts.
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
      if (WaitHere(attempt, fd, events)) continue;
      return WaitFor(events);
    }
    if (moved < 0) return moved_bytes > 0 ? Done(moved_bytes) : Done(moved);
    moved_bytes += static_cast<uint32_t>(moved);
    // MSG_TRUNC may tell of more than was asked for (recv(2)).
    const bool over = moved == 0 || moved_bytes >= request.size64;
    if (over || !whole || !GoesOn(fd)) return Done(moved_bytes);
  }
}

int AcceptNow(const Request& request, int fd) {
  // Between poll(2) and this, somebody else may take what was there, or O_NONBLOCK.
  const Interruptible interruptible;
  return Uninterrupted([&] {
    return ::accept4(fd, static_cast<sockaddr*>(request.address),
                     reinterpret_cast<socklen_t*>(request.file_offset),
                     static_cast<int>(request.parameter));
  });
}

// First it gets a duplicate of its descriptor by waiting, then its turn: who waits for a turn must
// not find another file behind the number.
Outcome Accept(const Request& request, int fd, Attempt& attempt) {
  if (attempt == Attempt::kFirst && OptionOf(fd, SO_ACCEPTCONN) == 1 && !IsNonblocking(fd)) {
    attempt = Attempt::kWatched;
    return WaitFor(POLLIN);
  }
  if (attempt == Attempt::kWatched) {
    attempt = Attempt::kPolled;
    return Outcome{Outcome::Step::kNeedsExclusivePoll, 0, 0};
  }
  if (attempt == Attempt::kPolled && PollOnce(fd, POLLIN, 0) == 0) return WaitFor(POLLIN);
  while (true) {
    WaitHere(attempt, fd, POLLIN);
    const int accepted = AcceptNow(request, fd);
    if (accepted >= 0 || errno != EAGAIN) return Done(accepted);
    if (attempt != Attempt::kBlocking) return WaitFor(POLLIN);
  }
}

// One tick is the least that there is (socket(7)).
constexpr timeval kOneTick = {.tv_sec = 0, .tv_usec = 1};

int ConnectBriefly(const Request& request, int fd) {
  const auto connect = [&] {
    return ::connect(fd, static_cast<const sockaddr*>(request.address),
                     static_cast<socklen_t>(request.size64));
  };
  // Those never wait for a peer.
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
    // Two at once would take each other's send timeout for the caller's.
    attempt = Attempt::kPolled;
    return Outcome{Outcome::Step::kNeedsExclusivePoll, 0, 0};
  }
  while (true) {
    const bool begun = attempt == Attempt::kBegun || attempt == Attempt::kBlocking;
    if (ConnectBriefly(request, fd) == 0) return Done(0);
    switch (errno) {
      case EISCONN:
        return begun ? Done(0) : Failed(EISCONN);
      case EALREADY:
        if (!begun) return Failed(EALREADY);
        break;
      case EAGAIN: {
        // The listener of AF_UNIX has no room in its queue, of which poll(2) tells nothing.
        const auto* const address = static_cast<const sockaddr*>(request.address);
        if (address->sa_family != AF_UNIX) return Failed(EAGAIN);
        if (attempt != Attempt::kBlocking) return WaitFor(POLLOUT);
        const Interruptible interruptible;
        ::poll(nullptr, 0, 1);
        continue;
      }
      case EINPROGRESS:
      case EINTR:  // it goes on by itself (connect(2))
        if (!begun) attempt = Attempt::kBegun;
        break;
      default:
        return Failed(errno);
    }
    if (!WaitHere(attempt, fd, POLLOUT)) return WaitFor(POLLOUT);
  }
}

// Regular files and directories are always ready to be read and written, and never for anything
// else.
bool NeverChanges(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

Outcome Poll(const Request& request, int fd, Attempt attempt) {
  const uint32_t events = static_cast<uint32_t>(request.parameter) | POLLERR | POLLHUP | POLLRDHUP;
  // Waiting for it would be for ever, on a worker that nothing can call off.
  if (attempt == Attempt::kBlocking && NeverChanges(fd)) return Failed(EINVAL);
  WaitHere(attempt, fd, events);
  const uint32_t ready = PollOnce(fd, events, 0);
  if (ready == 0) return WaitFor(events);
  return (ready & POLLNVAL) != 0 ? Failed(EBADF) : Done(ready);
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
      return Failed(EINVAL);
  }
}

}  // namespace mooring
