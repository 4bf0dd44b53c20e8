// Wrapped calls about descriptors, files and sockets.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "testing/faults/fault_plan.h"

using mooring::faults::CallKind;
using mooring::faults::CallUnlessFault;
using mooring::faults::FaultFor;
using mooring::faults::kShort;
using mooring::faults::TransferUnlessFault;

namespace {

size_t BytesOf(const msghdr& message) {
  size_t bytes = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) bytes += message.msg_iov[i].iov_len;
  return bytes;
}

// TransferUnlessFault for a message: `call` receives the message cut to the allowed size.
template <typename Call>
ssize_t TransferMessageUnlessFault(CallKind kind, const msghdr& message, Call call) {
  return TransferUnlessFault(kind, BytesOf(message), [&](size_t most) {
    std::vector<iovec> ranges(message.msg_iov, message.msg_iov + message.msg_iovlen);
    for (iovec& range : ranges) {
      range.iov_len = std::min(range.iov_len, most);
      most -= range.iov_len;
    }
    msghdr part = message;
    part.msg_iov = ranges.data();
    return call(&part);
  });
}

}  // namespace

extern "C" {

int __real_open(const char*, int, mode_t);
int __real_openat(int, const char*, int, mode_t);
int __real_close(int);
ssize_t __real_read(int, void*, size_t);
ssize_t __real_write(int, const void*, size_t);
ssize_t __real_pread(int, void*, size_t, off_t);
ssize_t __real_pwrite(int, const void*, size_t, off_t);
ssize_t __real_preadv2(int, const iovec*, int, off_t, int);
ssize_t __real_pwritev2(int, const iovec*, int, off_t, int);
int __real_fsync(int);
int __real_fdatasync(int);
int __real_fallocate(int, int, off_t, off_t);
int __real_statx(int, const char*, int, unsigned, struct statx*);
int __real_stat(const char*, struct stat*);
int __real_fstat(int, struct stat*);
int __real_fstatfs(int, struct statfs*);
int __real_fcntl(int, int, long);
int __real_ioctl(int, unsigned long, void*);
int __real_epoll_create1(int);
int __real_epoll_ctl(int, int, int, epoll_event*);
int __real_epoll_wait(int, epoll_event*, int, int);
int __real_eventfd(unsigned, int);
int __real_timerfd_create(int, int);
int __real_poll(pollfd*, nfds_t, int);
int __real_ppoll(pollfd*, nfds_t, const timespec*, const sigset_t*);
ssize_t __real_send(int, const void*, size_t, int);
ssize_t __real_recv(int, void*, size_t, int);
ssize_t __real_sendmsg(int, const msghdr*, int);
ssize_t __real_recvmsg(int, msghdr*, int);
int __real_accept4(int, sockaddr*, socklen_t*, int);
int __real_connect(int, const sockaddr*, socklen_t);
int __real_shutdown(int, int);

// Variadic functions always get their last argument: it is passed in the same register in both
// cases, and the kernel reads it only where it has a meaning.

int __wrap_open(const char* path, int flags, mode_t mode) {
  return CallUnlessFault(CallKind::kOpen, [&] { return __real_open(path, flags, mode); });
}

int __wrap_openat(int folder, const char* path, int flags, mode_t mode) {
  return CallUnlessFault(CallKind::kOpenat,
                         [&] { return __real_openat(folder, path, flags, mode); });
}

// The descriptor is closed, whatever it returns (close(2)).
int __wrap_close(int fd) {
  const int error = FaultFor(CallKind::kClose);
  const int result = __real_close(fd);
  if (error == 0) return result;
  errno = error;
  return -1;
}

// Eight bytes are those of an eventfd, which fails only with EAGAIN (eventfd(2)).
constexpr size_t kCounterBytes = 8;

ssize_t __wrap_read(int fd, void* data, size_t size) {
  if (size == kCounterBytes) return __real_read(fd, data, size);
  return TransferUnlessFault(CallKind::kRead, size,
                             [&](size_t most) { return __real_read(fd, data, most); });
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  if (size == kCounterBytes) return __real_write(fd, data, size);
  return TransferUnlessFault(CallKind::kWrite, size,
                             [&](size_t most) { return __real_write(fd, data, most); });
}

ssize_t __wrap_pread(int fd, void* data, size_t size, off_t offset) {
  return TransferUnlessFault(CallKind::kPread, size,
                             [&](size_t most) { return __real_pread(fd, data, most, offset); });
}

ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset) {
  return TransferUnlessFault(CallKind::kPwrite, size,
                             [&](size_t most) { return __real_pwrite(fd, data, most, offset); });
}

// Mooring passes one range to these calls.
ssize_t __wrap_preadv2(int fd, const iovec* ranges, int count, off_t offset, int flags) {
  return TransferUnlessFault(CallKind::kPreadv2, ranges->iov_len, [&](size_t most) {
    const iovec range = {ranges->iov_base, most};
    return __real_preadv2(fd, count == 1 ? &range : ranges, count, offset, flags);
  });
}

ssize_t __wrap_pwritev2(int fd, const iovec* ranges, int count, off_t offset, int flags) {
  return TransferUnlessFault(CallKind::kPwritev2, ranges->iov_len, [&](size_t most) {
    const iovec range = {ranges->iov_base, most};
    return __real_pwritev2(fd, count == 1 ? &range : ranges, count, offset, flags);
  });
}

int __wrap_fsync(int fd) {
  return CallUnlessFault(CallKind::kFsync, [&] { return __real_fsync(fd); });
}

int __wrap_fdatasync(int fd) {
  return CallUnlessFault(CallKind::kFsync, [&] { return __real_fdatasync(fd); });
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size) {
  return CallUnlessFault(CallKind::kFallocate,
                         [&] { return __real_fallocate(fd, mode, offset, size); });
}

int __wrap_statx(int folder, const char* path, int flags, unsigned mask, struct statx* status) {
  return CallUnlessFault(CallKind::kStatx,
                         [&] { return __real_statx(folder, path, flags, mask, status); });
}

int __wrap_stat(const char* path, struct stat* status) {
  return CallUnlessFault(CallKind::kStat, [&] { return __real_stat(path, status); });
}

int __wrap_fstat(int fd, struct stat* status) {
  return CallUnlessFault(CallKind::kStat, [&] { return __real_fstat(fd, status); });
}

int __wrap_fstatfs(int fd, struct statfs* status) {
  return CallUnlessFault(CallKind::kStat, [&] { return __real_fstatfs(fd, status); });
}

int __wrap_fcntl(int fd, int command, long argument) {
  const auto call = [&] { return __real_fcntl(fd, command, argument); };
  // The other commands only read or set a flag.
  return command == F_DUPFD_CLOEXEC ? CallUnlessFault(CallKind::kDup, call) : call();
}

int __wrap_ioctl(int fd, unsigned long request, void* argument) {
  return CallUnlessFault(CallKind::kIoctl, [&] { return __real_ioctl(fd, request, argument); });
}

int __wrap_epoll_create1(int flags) {
  return CallUnlessFault(CallKind::kEpollCreate, [&] { return __real_epoll_create1(flags); });
}

// Removing a descriptor needs no resource.
int __wrap_epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
  const auto call = [&] { return __real_epoll_ctl(epoll, what, fd, event); };
  return what == EPOLL_CTL_DEL ? call() : CallUnlessFault(CallKind::kEpollCtl, call);
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  return CallUnlessFault(CallKind::kEpollWait,
                         [&] { return __real_epoll_wait(epoll, events, count, timeout); });
}

int __wrap_eventfd(unsigned count, int flags) {
  return CallUnlessFault(CallKind::kEventfd, [&] { return __real_eventfd(count, flags); });
}

int __wrap_timerfd_create(int clock, int flags) {
  return CallUnlessFault(CallKind::kTimerfd, [&] { return __real_timerfd_create(clock, flags); });
}

int __wrap_poll(pollfd* fds, nfds_t count, int timeout) {
  return CallUnlessFault(CallKind::kPoll, [&] { return __real_poll(fds, count, timeout); });
}

int __wrap_ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return CallUnlessFault(CallKind::kPoll, [&] { return __real_ppoll(fds, count, timeout, mask); });
}

ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
  return TransferUnlessFault(CallKind::kSend, size,
                             [&](size_t most) { return __real_send(fd, data, most, flags); });
}

ssize_t __wrap_recv(int fd, void* data, size_t size, int flags) {
  return TransferUnlessFault(CallKind::kRecv, size,
                             [&](size_t most) { return __real_recv(fd, data, most, flags); });
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  return TransferMessageUnlessFault(CallKind::kSend, *message,
                                    [&](msghdr* part) { return __real_sendmsg(fd, part, flags); });
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  return TransferMessageUnlessFault(CallKind::kRecv, *message,
                                    [&](msghdr* part) { return __real_recvmsg(fd, part, flags); });
}

int __wrap_accept4(int fd, sockaddr* peer, socklen_t* peer_bytes, int flags) {
  return CallUnlessFault(CallKind::kAccept,
                         [&] { return __real_accept4(fd, peer, peer_bytes, flags); });
}

int __wrap_connect(int fd, const sockaddr* address, socklen_t size) {
  return CallUnlessFault(CallKind::kConnect, [&] { return __real_connect(fd, address, size); });
}

int __wrap_shutdown(int fd, int how) {
  return CallUnlessFault(CallKind::kShutdown, [&] { return __real_shutdown(fd, how); });
}

}  // extern "C"
