#include "cpp/ring/socket_operations.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include "cpp/ring/operation_errors.h"

namespace mooring {
namespace {

// Without MSG_ZEROCOPY, with which the kernel reads the memory after the completion (send(2)), and
// without flags that need an address or an ancillary buffer.
constexpr uint64_t kSendFlags = MSG_CONFIRM | MSG_DONTROUTE | MSG_DONTWAIT | MSG_EOR | MSG_MORE |
                                MSG_NOSIGNAL | MSG_OOB | MSG_WAITALL;
constexpr uint64_t kRecvFlags = MSG_DONTWAIT | MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_WAITALL;
constexpr uint64_t kPollEvents = POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | POLLRDNORM |
                                 POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP;

const ErrorDetail* CheckRecv(const Operation& operation) {
  if ((operation.parameter & ~kRecvFlags) != 0) return &kBadMessageFlags;
  // MSG_PEEK together with MSG_WAITALL (which LINK implies) would read and count the same bytes
  // repeatedly.
  const bool whole =
      (operation.parameter & MSG_WAITALL) != 0 || (operation.flags & kRequestLink) != 0;
  return whole && (operation.parameter & MSG_PEEK) != 0 ? &kBadMessageFlags : nullptr;
}

const ErrorDetail* CheckAccept(const Operation& operation) {
  const bool has_both = (operation.offset == 0) == (operation.file_offset == 0);
  return has_both && (operation.parameter & ~uint64_t{SOCK_NONBLOCK}) == 0 ? nullptr : &kBadAccept;
}

const ErrorDetail* CheckSend(const Operation& operation) {
  if (operation.parameter >> 32 > static_cast<uint32_t>(SendKind::kCopy)) return &kBadMessageFlags;
  return (operation.parameter & UINT32_MAX & ~kSendFlags) == 0 ? nullptr : &kBadMessageFlags;
}

const ErrorDetail* CheckSegments(const Operation& operation) {
  const bool has_lease = operation.lease_first_index != 0 || operation.lease_generation != 0;
  const bool has_segments = operation.offset != 0 && operation.size - 1 < kSegmentCountMax;
  return has_segments && !has_lease ? nullptr : &kBadSegments;
}

const ErrorDetail* CheckMultishot(const Operation& operation) {
  const bool receives = operation.opcode == static_cast<uint16_t>(Opcode::kRecvMultishot);
  const bool names_memory = operation.offset != 0 || operation.file_offset != 0 ||
                            operation.size != 0 || operation.lease_first_index != 0 ||
                            operation.lease_generation != 0;
  const uint64_t allowed = receives ? 0 : uint64_t{SOCK_NONBLOCK};
  const bool has_registration = operation.registration != nullptr;
  return !names_memory && receives == has_registration && (operation.parameter & ~allowed) == 0
             ? nullptr
             : &kBadMultishot;
}

// -1 if the socket has no such option.
int IntegerOption(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

// On other sockets a zero-copy send fails, and only the caller could send again: with EOPNOTSUPP on
// AF_UNIX and on TCP under an upper layer protocol (TLS), with EINVAL on UDP with UDP_CORK (one
// datagram from several sends). The two system calls are cheap next to a send of many pages.
bool SupportsZeroCopy(int fd) {
  const int protocol = IntegerOption(fd, SOL_SOCKET, SO_PROTOCOL);
  if (protocol == IPPROTO_UDP) return IntegerOption(fd, IPPROTO_UDP, UDP_CORK) == 0;
  if (protocol != IPPROTO_TCP) return false;
  char upper_layer[16];  // TCP_ULP_NAME_MAX
  socklen_t size = sizeof(upper_layer);
  return getsockopt(fd, IPPROTO_TCP, TCP_ULP, upper_layer, &size) == 0 && size == 0;
}

bool UsesZeroCopy(ZeroCopyHints* hints, SendKind kind, const Request& request) {
  if (hints == nullptr || request.buffer_slot == kNoBufferSlot) return false;
  if (kind != SendKind::kAuto) return kind == SendKind::kZeroCopy;
  if ((request.parameter & (MSG_MORE | MSG_OOB)) != 0) return false;
  // The kernel does not report which file is in a slot of the file table.
  if ((request.flags & kRequestFixedFile) != 0 || request.size64 < ZeroCopyHints::kSendBytesMin)
    return false;
  return hints->ShouldTry(request.fd) && SupportsZeroCopy(request.fd);
}

const ErrorDetail* FinishSend(ZeroCopyHints* hints, Record& record, Request& request) {
  const auto kind = static_cast<SendKind>(request.parameter >> 32);
  request.parameter &= UINT32_MAX;
  record.progress.send = {.fd = request.fd, .result = 0};
  if (UsesZeroCopy(hints, kind, request)) return nullptr;
  if (kind == SendKind::kZeroCopy) return &kNoZeroCopy;
  // A zero-copy send of memory that is not pinned is charged to RLIMIT_MEMLOCK, and fails when that
  // limit is reached.
  request.buffer_slot = kNoBufferSlot;
  record.path = Path::kCopy;
  return nullptr;
}

}  // namespace

const ErrorDetail* CheckSocketOperation(const Operation& operation) {
  switch (static_cast<Opcode>(operation.opcode)) {
    case Opcode::kSend:
      return CheckSend(operation);
    case Opcode::kRecv:
      return CheckRecv(operation);
    case Opcode::kSendmsg:
      if (const ErrorDetail* refusal = CheckSegments(operation)) return refusal;
      return CheckSend(operation);
    case Opcode::kRecvmsg:
      if (const ErrorDetail* refusal = CheckSegments(operation)) return refusal;
      return CheckRecv(operation);
    case Opcode::kAccept:
      return CheckAccept(operation);
    case Opcode::kAcceptMultishot:
    case Opcode::kRecvMultishot:
      return CheckMultishot(operation);
    case Opcode::kConnect:
      return operation.offset != 0 && operation.size <= sizeof(sockaddr_storage) ? nullptr
                                                                                 : &kBadConnect;
    case Opcode::kShutdown:
      return operation.parameter <= SHUT_RDWR ? nullptr : &kBadShutdown;
    case Opcode::kPoll:
      return (operation.parameter & ~kPollEvents) == 0 ? nullptr : &kBadPollEvents;
    default:
      return nullptr;
  }
}

const ErrorDetail* FinishSocketRequest(ZeroCopyHints* hints, Record& record, Request& request) {
  // A chain continues only after full success. The kernel breaks it after a short transfer only if
  // this flag is set (IOSQE_IO_LINK in io_uring_enter(2)).
  const uint64_t whole = (request.flags & kRequestLink) != 0 ? MSG_WAITALL : 0;
  switch (request.opcode) {
    case Opcode::kSend:
    case Opcode::kSendmsg:
      request.parameter |= whole;
      return FinishSend(hints, record, request);
    case Opcode::kRecv:
    case Opcode::kRecvmsg:
      request.parameter |= whole;
      // No receive uses a fixed buffer.
      request.buffer_slot = kNoBufferSlot;
      record.path = Path::kCopy;
      return nullptr;
    case Opcode::kAccept:
      request.parameter |= SOCK_CLOEXEC;
      return nullptr;
    default:
      return nullptr;
  }
}

}  // namespace mooring
