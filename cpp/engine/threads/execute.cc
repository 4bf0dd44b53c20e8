#include "cpp/engine/threads/execute.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mooring {
namespace {

bool IsWrite(const Request& request) { return request.opcode == Opcode::kWrite; }

uint32_t EventsOf(const Request& request) { return IsWrite(request) ? POLLOUT : POLLIN; }

// At the current position of the file.
ssize_t ReadOrWrite(const Request& request, int fd, uint64_t done, uint64_t size_max) {
  char* const data = static_cast<char*>(request.address) + done;
  const size_t size = std::min(request.size64 - done, size_max);
  return Uninterrupted(
      [&] { return IsWrite(request) ? ::write(fd, data, size) : ::read(fd, data, size); });
}

bool IsReady(const Request& request, int fd) { return PollOnce(fd, EventsOf(request), 0) != 0; }

// True for regular files, block devices and directories: they do not wait for a peer.
bool NeverWaits(int fd) {
  struct stat stat;
  // A descriptor that is not open fails immediately. Nothing is known if fstat(2) fails otherwise.
  if (::fstat(fd, &stat) != 0) return errno == EBADF;
  return S_ISREG(stat.st_mode) || S_ISBLK(stat.st_mode) || S_ISDIR(stat.st_mode);
}

// Each Try function returns true with an outcome, or sets `attempt` to the next one and returns
// false.

bool TryFirst(const Request& request, int fd, Attempt& attempt, Outcome& outcome) {
  attempt = Attempt::kNowait;
  if (request.file_offset == kFileOffsetCurrent) {
    if (!NeverWaits(fd)) return false;
    outcome = Done(ReadOrWrite(request, fd, 0, UINT64_MAX));
    return true;
  }
  const off_t offset = static_cast<off_t>(request.file_offset);
  const ssize_t moved = Uninterrupted([&] {
    return IsWrite(request) ? ::pwrite(fd, request.address, request.size64, offset)
                            : ::pread(fd, request.address, request.size64, offset);
  });
  // ESPIPE: a stream, without positions. No data has moved.
  if (moved < 0 && errno == ESPIPE) return false;
  outcome = Done(moved);
  return true;
}

bool TryNowait(const Request& request, int fd, Attempt& attempt, Outcome& outcome) {
  const iovec range = {request.address, request.size64};
  // Offset -1 is the current position (preadv2(2)).
  const ssize_t moved = Uninterrupted([&] {
    return IsWrite(request) ? ::pwritev2(fd, &range, 1, -1, RWF_NOWAIT)
                            : ::preadv2(fd, &range, 1, -1, RWF_NOWAIT);
  });
  if (moved < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
    attempt = Attempt::kSocket;
    return false;
  }
  outcome = moved < 0 && errno == EAGAIN ? NotReady(EventsOf(request)) : Done(moved);
  return true;
}

bool TrySocket(const Request& request, int fd, Attempt& attempt, Outcome& outcome) {
  const ssize_t moved = Uninterrupted([&] {
    return IsWrite(request)
               ? ::send(fd, request.address, request.size64, MSG_DONTWAIT | MSG_NOSIGNAL)
               : ::recv(fd, request.address, request.size64, MSG_DONTWAIT);
  });
  if (moved < 0 && errno == ENOTSOCK) {
    attempt = Attempt::kPolled;
    outcome.step = Outcome::Step::kNeedsExclusivePoll;
    return true;
  }
  outcome = moved < 0 && errno == EAGAIN ? NotReady(EventsOf(request)) : Done(moved);
  return true;
}

// The size that a write may have without waiting for room, when poll(2) reports POLLOUT.
uint64_t WriteSizeMax(int fd) {
  struct stat stat;
  if (::fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode)) return PIPE_BUF;  // pipe(7)
  // A terminal has room for one character and maybe more.
  if (::isatty(fd) != 0) return 1;
  // All other files accept one message at a time or fail.
  return UINT64_MAX;
}

// Only for a task that holds the exclusive poll.
Outcome TryPolled(const Request& request, int fd) {
  if (!IsReady(request, fd)) return NotReady(EventsOf(request));
  const Interruptible interruptible;
  if (!IsWrite(request)) {
    const ssize_t count = ReadOrWrite(request, fd, 0, UINT64_MAX);
    return count < 0 && errno == EAGAIN ? NotReady(POLLIN) : Done(count);
  }
  const uint64_t size_max = WriteSizeMax(fd);
  uint64_t done = 0;
  do {
    const ssize_t count = ReadOrWrite(request, fd, done, size_max);
    if (count < 0 && done == 0) return errno == EAGAIN ? NotReady(POLLOUT) : Done(count);
    if (count <= 0) break;
    done += static_cast<uint64_t>(count);
  } while (done < request.size64 && IsReady(request, fd));
  return Done(static_cast<ssize_t>(done));
}

Outcome Transfer(const Request& request, int fd, Attempt& attempt) {
  // There is no table. io_uring returns the same for an empty slot.
  if (request.buffer_slot != kNoBufferSlot) return Failed(-EFAULT);
  Outcome outcome;
  if (attempt == Attempt::kFirst && TryFirst(request, fd, attempt, outcome)) return outcome;
  if (attempt == Attempt::kNowait && TryNowait(request, fd, attempt, outcome)) return outcome;
  if (attempt == Attempt::kSocket && TrySocket(request, fd, attempt, outcome)) return outcome;
  if (attempt == Attempt::kPolled) return TryPolled(request, fd);
  const Interruptible interruptible;
  return Done(ReadOrWrite(request, fd, 0, UINT64_MAX));
}

Outcome OpenAt(const Request& request, int fd) {
  const char* const path = static_cast<const char*>(request.address);
  const int flags = static_cast<int>(request.parameter & UINT32_MAX);
  const mode_t mode = static_cast<mode_t>(request.parameter >> 32);
  // The C library may assume that its arguments are not null. The kernel does not.
  if (path == nullptr) return Failed(-EFAULT);
  // io_uring does not add O_NONBLOCK to these. The last three never wait.
  constexpr int kPassedUnchanged = O_CREAT | O_TRUNC | O_NONBLOCK | O_PATH | O_DIRECTORY;
  if ((flags & kPassedUnchanged) == 0) {
    const int opened = Uninterrupted([&] { return ::openat(fd, path, flags | O_NONBLOCK, mode); });
    if (opened >= 0) {
      // Removes O_NONBLOCK: of these flags, fcntl(2) changes the status flags only.
      ::fcntl(opened, F_SETFL, flags);
      return Done(opened);
    }
    // EAGAIN: another process holds a lease (fcntl(2), F_SETLEASE). A blocking open breaks it.
    if (errno != EAGAIN) return Done(opened);
  }
  const Interruptible interruptible;
  return Done(Uninterrupted([&] { return ::openat(fd, path, flags, mode); }));
}

Outcome Statx(const Request& request, int fd) {
  const char* path = static_cast<const char*>(request.address);
  const int flags = static_cast<int>(request.parameter & UINT32_MAX);
  const auto mask = static_cast<unsigned>(request.parameter >> 32);
  auto* const status = reinterpret_cast<struct statx*>(request.file_offset);
  // With this flag, a null path is the same as an empty one (6.11).
  if (path == nullptr && (flags & AT_EMPTY_PATH) != 0) path = "";
  if (path == nullptr || status == nullptr) return Failed(-EFAULT);
  return Done(Uninterrupted([&] { return ::statx(fd, path, flags, mask, status); }));
}

}  // namespace

Outcome Execute(const Request& request, int fd, Attempt& attempt) {
  switch (request.opcode) {
    case Opcode::kRead:
    case Opcode::kWrite:
      return Transfer(request, fd, attempt);
    case Opcode::kFsync:
      return Done(Uninterrupted(
          [&] { return (request.parameter & 1) != 0 ? ::fdatasync(fd) : ::fsync(fd); }));
    case Opcode::kFallocate:
      return Done(Uninterrupted([&] {
        return ::fallocate(fd, static_cast<int>(request.parameter),
                           static_cast<off_t>(request.file_offset),
                           static_cast<off_t>(request.size64));
      }));
    case Opcode::kOpenat:
      return OpenAt(request, fd);
    case Opcode::kClose:
      // Not repeated on EINTR: Linux has already released the descriptor (close(2)).
      return Done(::close(fd));
    case Opcode::kStatx:
      return Statx(request, fd);
    case Opcode::kNop:
    case Opcode::kTimeout:
    case Opcode::kCancel:
    case Opcode::kSend:
    case Opcode::kRecv:
    case Opcode::kAccept:
    case Opcode::kConnect:
    case Opcode::kShutdown:
    case Opcode::kPoll:
    case Opcode::kSendmsg:
    case Opcode::kRecvmsg:
    case Opcode::kAcceptMultishot:
    case Opcode::kRecvMultishot:
      break;  // the scheduler or sockets.cc handles these
  }
  return Failed(-EINVAL);
}

}  // namespace mooring
