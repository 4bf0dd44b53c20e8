#include "cpp/operations/socket_operations.h"

#include <poll.h>
#include <sys/socket.h>

#include "cpp/operations/operation_errors.h"

namespace mooring {
namespace {

// Not MSG_ZEROCOPY: the kernel would read the memory after the completion (send(2)). Not what needs
// an address or an ancillary buffer.
constexpr uint64_t kSendFlags =
    MSG_CONFIRM | MSG_DONTROUTE | MSG_DONTWAIT | MSG_EOR | MSG_MORE | MSG_NOSIGNAL | MSG_OOB | MSG_WAITALL;
constexpr uint64_t kRecvFlags = MSG_DONTWAIT | MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_WAITALL;
constexpr uint64_t kPollEvents = POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLRDBAND |
                                 POLLWRNORM | POLLWRBAND | POLLRDHUP;

const ErrorDetail* CheckRecv(const Operation& operation) {
  if ((operation.parameter & ~kRecvFlags) != 0) return &kBadMessageFlags;
  // Both would look at the same bytes again until there are enough of them, and count them twice.
  const bool whole = (operation.parameter & MSG_WAITALL) != 0 || (operation.flags & kRequestLink) != 0;
  return whole && (operation.parameter & MSG_PEEK) != 0 ? &kBadMessageFlags : nullptr;
}

const ErrorDetail* CheckAccept(const Operation& operation) {
  const bool has_both = (operation.offset == 0) == (operation.file_offset == 0);
  return has_both && (operation.parameter & ~uint64_t{SOCK_NONBLOCK}) == 0 ? nullptr : &kBadAccept;
}

}  // namespace

const ErrorDetail* CheckSocketOperation(const Operation& operation) {
  switch (static_cast<Opcode>(operation.opcode)) {
    case Opcode::kSend:
      return (operation.parameter & ~kSendFlags) == 0 ? nullptr : &kBadMessageFlags;
    case Opcode::kRecv:
      return CheckRecv(operation);
    case Opcode::kAccept:
      return CheckAccept(operation);
    case Opcode::kConnect:
      return operation.offset != 0 && operation.size <= sizeof(sockaddr_storage) ? nullptr : &kBadConnect;
    case Opcode::kShutdown:
      return operation.parameter <= SHUT_RDWR ? nullptr : &kBadShutdown;
    case Opcode::kPoll:
      return (operation.parameter & ~kPollEvents) == 0 ? nullptr : &kBadPollEvents;
    default:
      return nullptr;
  }
}

void FinishSocketRequest(Record& record, Request& request) {
  switch (request.opcode) {
    case Opcode::kSend:
    case Opcode::kRecv:
      // Neither takes a slot of the table: a plain send copies, and so does every receive.
      request.buffer_slot = kNoBufferSlot;
      record.path = Path::kCopy;
      // A chain goes on after success in full, which is what the kernel looks for only with this
      // (IOSQE_IO_LINK in io_uring_enter(2)).
      if ((request.flags & kRequestLink) != 0) request.parameter |= MSG_WAITALL;
      break;
    case Opcode::kAccept:
      request.parameter |= SOCK_CLOEXEC;
      break;
    default:
      break;
  }
}

}  // namespace mooring
