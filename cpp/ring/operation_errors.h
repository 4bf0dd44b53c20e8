// The errors of the data path. They are constants, so that a refused operation allocates nothing.
#ifndef MOORING_CPP_RING_OPERATION_ERRORS_H_
#define MOORING_CPP_RING_OPERATION_ERRORS_H_

#include <cerrno>

#include "cpp/base/status.h"

namespace mooring {

inline constexpr ErrorDetail kUnknownOpcode = ConstantError(
    Code::kUnsupported, Retry::kNever, "operation refused: this library does not know its opcode",
    "the operation after the last accepted one is at fault; use an opcode of mooring/operation.h",
    EINVAL);
inline constexpr ErrorDetail kUnknownFlags = ConstantError(
    Code::kInvalidArgument, Retry::kNever,
    "operation refused: it has a flag that is unknown or that its opcode does not take",
    "the operation after the last accepted one is at fault; use the flags of "
    "mooring/operation.h (CANCEL takes none)",
    EINVAL);
inline constexpr ErrorDetail kUnusedField =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: it sets `parameter`, which its opcode does not use",
                  "the operation after the last accepted one is at fault; zero the fields that its "
                  "opcode does not name",
                  EINVAL);
inline constexpr ErrorDetail kTooLarge =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: its size is above MOORING_OPERATION_BYTES_MAX (0x7ffff000 "
                  "bytes, the kernel's limit)",
                  "split it into operations of at most 0x7ffff000 bytes", EINVAL);
inline constexpr ErrorDetail kOutOfBounds = ConstantError(
    Code::kInvalidArgument, Retry::kNever,
    "operation refused: offset + size passes the end of its lease or slab",
    "keep offset + size within the leased buffers, or within the slab when lease_generation is 0",
    EINVAL);
inline constexpr ErrorDetail kStaleLease =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "operation refused: its lease was released before, or was never acquired",
                  "acquire a lease and submit with its first_index and generation", ESTALE);
inline constexpr ErrorDetail kLeaseWithoutRegistration = ConstantError(
    Code::kInvalidArgument, Retry::kNever, "operation refused: it has a lease, but no registration",
    "set `registration`, or zero the lease and pass an address", EINVAL);
inline constexpr ErrorDetail kForeignRegistration =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "operation refused: its registration belongs to another ring",
                  "register the slab with the ring that the operation is submitted to", EINVAL);
inline constexpr ErrorDetail kOpenChain = ConstantError(
    Code::kInvalidArgument, Retry::kNever,
    "operation refused: its chain of links does not end in this batch",
    "clear LINK on the last operation of the chain, or submit the chain in one batch", EINVAL);
inline constexpr ErrorDetail kLongChain = ConstantError(
    Code::kInvalidArgument, Retry::kNever,
    "operation refused: its chain of links is longer than submission_count or in_flight_max",
    "make the chain shorter, or the ring larger", EINVAL);
inline constexpr ErrorDetail kCancelInChain =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: a CANCEL cannot be part of a chain of links",
                  "clear LINK on the operation before it, or submit the CANCEL by itself", EINVAL);
inline constexpr ErrorDetail kBadMessageFlags =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: its `parameter` holds MSG_* or MOORING_SEND_* values that "
                  "its opcode does not take, or not together",
                  "use the flags that mooring/operation.h names for SEND and RECV", EINVAL);
inline constexpr ErrorDetail kNoZeroCopy =
    ConstantError(Code::kUnsupported, Retry::kAfterRemedy,
                  "operation refused: it requires MOORING_SEND_ZERO_COPY, but its bytes are not "
                  "pinned or the ring has no zero-copy send",
                  "see mooring_registration_get_info and MOORING_FEATURE_SEND_ZERO_COPY, or use "
                  "MOORING_SEND_AUTO",
                  EOPNOTSUPP);
inline constexpr ErrorDetail kBadSegments =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: SENDMSG and RECVMSG take the address of 1 to 16 segments in "
                  "`offset`, their count in `size`, and "
                  "no lease of their own",
                  "put leases into the segments (mooring_segment_t), and split an operation that "
                  "needs more than MOORING_SEGMENT_COUNT_MAX",
                  EINVAL);
inline constexpr ErrorDetail kBadAccept =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: ACCEPT takes SOCK_NONBLOCK or 0, and both of sockaddr and "
                  "socklen_t or neither",
                  "see ACCEPT in mooring/operation.h", EINVAL);
inline constexpr ErrorDetail kBadConnect =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: CONNECT takes an address in `offset` and its length, at most "
                  "128 bytes, in `size`",
                  "pass a sockaddr and its length", EINVAL);
inline constexpr ErrorDetail kBadShutdown =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: SHUTDOWN takes SHUT_RD, SHUT_WR or SHUT_RDWR",
                  "set `parameter` to one of the three (shutdown(2))", EINVAL);
inline constexpr ErrorDetail kBadPollEvents =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: its `parameter` holds bits that are not POLL* events",
                  "use the events of poll(2)", EINVAL);
inline constexpr ErrorDetail kBadMultishot =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: ACCEPT_MULTISHOT takes SOCK_NONBLOCK or 0, RECV_MULTISHOT a "
                  "registration, and both no addresses, "
                  "size or lease",
                  "see ACCEPT_MULTISHOT and RECV_MULTISHOT in mooring/operation.h, and zero the "
                  "fields that they do not name",
                  EINVAL);
inline constexpr ErrorDetail kMultishotInChain =
    ConstantError(Code::kInvalidArgument, Retry::kNever,
                  "operation refused: a multishot operation cannot be part of a chain of links",
                  "clear LINK on the operation before it, or submit it by itself", EINVAL);
inline constexpr ErrorDetail kNotRegistrable = ConstantError(
    Code::kInvalidArgument, Retry::kNever,
    "operation refused: its opcode takes no registration or lease",
    "the operation after the last accepted one is at fault; leave `registration` NULL", EINVAL);

inline constexpr ErrorDetail kClosed =
    ConstantError(Code::kInvalidState, Retry::kNever, "the ring is closed", "create a new ring");
inline constexpr ErrorDetail kSecondSubmitter = ConstantError(
    Code::kInvalidState, Retry::kLater,
    "another thread is in submit, cancel or set_file on this ring now",
    "serialise the submission side of a ring: one call at a time, from any thread", EBUSY);
inline constexpr ErrorDetail kSecondReaper = ConstantError(
    Code::kInvalidState, Retry::kLater, "another thread is in reap on this ring now",
    "serialise the completion side of a ring: one call at a time, from any thread", EBUSY);
inline constexpr ErrorDetail kNotOwner = ConstantError(
    Code::kInvalidState, Retry::kNever,
    "this ring has an owner thread, and another thread made this call",
    "call from the thread that created the ring, or create the ring without OWNER_THREAD", EEXIST);
inline constexpr ErrorDetail kForkedRing =
    ConstantError(Code::kForked, Retry::kNever, "this ring belongs to the parent process",
                  "create a new ring, slab and registration after fork; destroy is the only call "
                  "for inherited ones");
inline constexpr ErrorDetail kBadCapacity = ConstantError(
    Code::kInvalidArgument, Retry::kNever, "capacity is 0, or min_count is above capacity",
    "pass room for at least max(1, min_count) completions", EINVAL);
inline constexpr ErrorDetail kNothingToCancel =
    ConstantError(Code::kNotFound, Retry::kNever, "no operation in flight has this user_data",
                  "it may have completed: reap its completion", ENOENT);
inline constexpr ErrorDetail kTooManyCancels = ConstantError(
    Code::kExhausted, Retry::kLater, "in_flight_max cancellations are in flight already",
    "reap, then cancel again", EAGAIN);

}  // namespace mooring

#endif  // MOORING_CPP_RING_OPERATION_ERRORS_H_
