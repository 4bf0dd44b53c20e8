// operation.h: operations and completions, as data.
//
// An operation is a fixed 64-byte record; a ring takes a batch of them in one call (ring.h) and
// answers each with exactly one 32-byte completion (or, if it repeats, exactly one without MORE,
// its last). Records hold no pointers that outlive the submit call, except memory named by address
// (paths, statx buffers, unregistered data), which the caller keeps until the completion.
//
// Where an operation's bytes are:
// - registration set, lease_generation not 0: in that lease; `offset` counts from its first byte.
// The core holds the
//   lease until the completion, so releasing it early is legal.
// - registration set, lease_generation 0: `offset` counts from the first byte of the slab. The
// caller runs an allocator
//   of his own over it; nothing but the slab is held for him.
// - registration NULL: `offset` is an address, and the operation takes the copy path.
// With a registration, an operation takes the fixed path when its bytes lie within one pinned
// extent, and else the copy path: the completion's `path` says which. (A send may take the copy
// path nevertheless, and a receive always does.)
#ifndef MOORING_OPERATION_H_
#define MOORING_OPERATION_H_

#include <stdint.h>

#include "mooring/export.h"

MOORING_BEGIN_DECLS

struct mooring_registration_t;

// The most that one operation moves: the kernel's own limit, 2^31 less one page (read(2)). More is
// refused with INVALID_ARGUMENT, never cut short in silence.
#define MOORING_OPERATION_BYTES_MAX UINT64_C(0x7ffff000)

// file_offset of a read or write at the file's own position, which it moves; also for pipes and
// terminals.
#define MOORING_FILE_OFFSET_CURRENT UINT64_MAX

typedef uint16_t mooring_opcode_t;
enum {
  // Completes at once with result 0.
  MOORING_OPCODE_NOP = 0,
  // fd, file_offset, offset, size. Result: bytes read; 0 with END_OF_FILE at the end. Stops short
  // only as read(2) does.
  MOORING_OPCODE_READ = 1,
  // fd, file_offset, offset, size. Result: bytes written.
  MOORING_OPCODE_WRITE = 2,
  // fd; parameter: 0, or MOORING_FSYNC_DATA_ONLY for fdatasync(2).
  MOORING_OPCODE_FSYNC = 3,
  // fd, file_offset, size; parameter: mode (fallocate(2)).
  MOORING_OPCODE_FALLOCATE = 4,
  // fd: directory or AT_FDCWD; offset: address of the path; parameter: flags in the low, mode in
  // the high 32 bits
  // (openat(2); O_CLOEXEC is up to the caller). Result: the new descriptor, the caller's to close.
  MOORING_OPCODE_OPENAT = 5,
  // fd. With FIXED_FILE the slot is emptied instead.
  MOORING_OPCODE_CLOSE = 6,
  // fd: directory or AT_FDCWD; offset: address of the path; file_offset: address of a struct statx;
  // parameter: flags in
  // the low, mask in the high 32 bits (statx(2)).
  MOORING_OPCODE_STATX = 7,
  // offset: nanoseconds from now (CLOCK_MONOTONIC). Result: -ETIME when it fires, -ECANCELED when
  // it is cancelled.
  MOORING_OPCODE_TIMEOUT = 8,
  // offset: user_data of the operations to cancel. Result: how many were asked to stop (each still
  // completes, with
  // -ECANCELED or with what it had done, for one that runs may not be able to stop), -ENOENT if
  // none was found. Takes no
  // flags, and no place in a chain of links.
  MOORING_OPCODE_CANCEL = 9,

  // Sockets. Each waits for what is not ready, and can be cancelled meanwhile. Leave O_NONBLOCK off
  // them: it changes
  // nothing with the threads engine and with io_uring of recent kernels, but makes others answer
  // -EAGAIN.

  // fd, offset, size; parameter: MSG_* of send(2) in the low 32 bits, of which MSG_CONFIRM,
  // DONTROUTE, DONTWAIT, EOR,
  // MORE, NOSIGNAL, OOB and WAITALL are taken; MOORING_SEND_* in the high 32 bits. Result: bytes
  // sent; never SIGPIPE.
  // With MSG_WAITALL a stream goes on until all is sent (an error or a cancellation after a part
  // gives the part);
  // without, it may stop short as send(2) does on a descriptor that does not block. LINK implies
  // MSG_WAITALL.
  MOORING_OPCODE_SEND = 10,
  // fd, offset, size; parameter: MSG_* of recv(2), of which MSG_DONTWAIT, OOB, PEEK, TRUNC and
  // WAITALL are taken (PEEK
  // not together with WAITALL). Result: bytes received; 0 with END_OF_FILE at the end of a stream,
  // or for an empty
  // datagram. LINK implies MSG_WAITALL. With it a SHORT result says that the stream ended or
  // failed, but not which: the
  // kernel takes the error of the socket when it goes on after a part, and tells nobody (seen on
  // Linux 6.18), so the
  // next receive may give 0. Who reads up to an end that only the peer knows leaves MSG_WAITALL
  // off.
  MOORING_OPCODE_RECV = 11,
  // fd: listening socket; parameter: 0 or SOCK_NONBLOCK, for the new descriptor. offset,
  // file_offset: addresses of room
  // for the peer's sockaddr and of a socklen_t with its size, kept by the caller until the
  // completion; or both 0.
  // Result: the new descriptor, close-on-exec, the caller's to close.
  MOORING_OPCODE_ACCEPT = 12,
  // fd, offset: address of a sockaddr, which the caller keeps until the completion; size: its
  // length, at most 128.
  // Result: 0 once connected, or why not.
  MOORING_OPCODE_CONNECT = 13,
  // fd; parameter: SHUT_RD, SHUT_WR or SHUT_RDWR (shutdown(2)). On io_uring before 5.11 it takes no
  // flags: -EINVAL.
  MOORING_OPCODE_SHUTDOWN = 14,
  // fd; parameter: POLL* events of poll(2). Once. Result: those that are there; POLLERR, POLLHUP
  // and POLLRDHUP also
  // where they were not asked for.
  MOORING_OPCODE_POLL = 15,
  // As SEND and RECV, of the bytes of several segments in order, in one message where the socket
  // has messages. offset:
  // address of mooring_segment_t records, which submit reads and the caller may then reuse; size:
  // how many, 1 to
  // MOORING_SEGMENT_COUNT_MAX; parameter: as for SEND and RECV. The operation's own lease fields
  // are 0; the segments are of
  // its registration, or addresses where that is NULL. Always the copy path: MOORING_SEND_ZERO_COPY
  // is refused.
  MOORING_OPCODE_SENDMSG = 16,
  MOORING_OPCODE_RECVMSG = 17,

  // Operations that repeat: submitted once, each gives completions with MORE, and then one without,
  // its last: an error, the
  // end, or -ECANCELED. In between it is one operation in flight. Where the kernel repeats it
  // (MOORING_FEATURE_*_MULTISHOT)
  // that costs no further system call; else, and with the threads engine, each completion is
  // followed by another request
  // when the ring is next reaped. They take FIXED_FILE and no other flag, and no place in a chain
  // of links; a DRAIN behind
  // one may have to wait for its end.

  // fd: listening socket; parameter: 0 or SOCK_NONBLOCK, for the new descriptors. Result: a new
  // descriptor, close-on-exec,
  // the caller's to close.
  MOORING_OPCODE_ACCEPT_MULTISHOT = 18,
  // fd, registration; all else 0. Receives into one buffer of the registration's slab at a time and
  // hands its lease over
  // (buffer_count 1), which the caller releases to the slab. Result: bytes received; a datagram
  // that is larger than a
  // buffer is cut. Last: 0 with END_OF_FILE at the end of a stream, or for an empty datagram. When
  // no buffer is free it
  // pauses, and goes on when leases have come back, on whatever thread: a reap that waits, or is
  // called next, sees to that,
  // and event_fd becomes readable for it.
  // The buffers are leased beforehand, as many as the registration's provided_buffer_count, and the
  // kernel takes one when
  // bytes arrive; without that, or where the kernel cannot, each operation leases one and waits
  // with it.
  MOORING_OPCODE_RECV_MULTISHOT = 19,
};

// The most segments of one operation.
#define MOORING_SEGMENT_COUNT_MAX UINT32_C(16)

// A part of the bytes of a SENDMSG or RECVMSG. 24 bytes, no padding. The three fields say where it
// is as those of mooring_op_t do; its lease is held until the completion.
typedef struct mooring_segment_t {
  uint32_t lease_first_index;  //  0
  uint32_t lease_generation;   //  4
  uint64_t offset;             //  8  bytes, or an address
  uint64_t size;               // 16  bytes; all together at most MOORING_OPERATION_BYTES_MAX
} mooring_segment_t;

// How a SEND goes, in the high 32 bits of its parameter. A zero-copy send hands the pinned pages
// themselves to the network device. It completes once, when they are free again: for TCP, when the
// peer has acknowledged the bytes or the socket is gone. Until then its memory and lease are held,
// also by a ring that is being closed, and no cancellation changes that: close the socket first.
// The completion's path is FIXED when nothing was copied, and COPY when the kernel had to (the
// loopback device always does).
typedef uint32_t mooring_send_t;
enum {
  // Zero-copy where it pays: TCP or UDP, pinned memory, 48 KiB or more, a descriptor that is not
  // from the file table, a
  // socket whose zero-copy sends were not found to be copied a short while ago. Else a plain send.
  MOORING_SEND_AUTO = 0,
  // Zero-copy, or submit refuses the operation with UNSUPPORTED (memory not pinned, or no
  // MOORING_FEATURE_SEND_ZERO_COPY); -EOPNOTSUPP from a socket that cannot (AF_UNIX, kernel TLS).
  MOORING_SEND_ZERO_COPY = 1,
  // A plain send.
  MOORING_SEND_COPY = 2,
};

typedef uint16_t mooring_operation_flags_t;
enum {
  // The next operation of this batch starts when this one has succeeded in full; a failure or a
  // short count completes
  // the rest of the chain with -ECANCELED. A chain must end in the batch that began it.
  MOORING_OPERATION_LINK = 1u << 0,
  // Starts after all operations submitted before it have completed; later ones start after it.
  MOORING_OPERATION_DRAIN = 1u << 1,
  // fd is an index of the ring's file table (mooring_ring_set_file).
  MOORING_OPERATION_FIXED_FILE = 1u << 2,
};

#define MOORING_FSYNC_DATA_ONLY UINT64_C(1)

// 64 bytes on every platform with 64-bit pointers, no padding. All-zero is a nop.
//
// `fd`, and what `offset` points to, must stay open and valid until the completion: the threads
// engine and SQPOLL look them up when they start the operation, not when it is submitted.
typedef struct mooring_op_t {
  mooring_opcode_t opcode;          //  0
  mooring_operation_flags_t flags;  //  2
  int32_t fd;                       //  4
  uint64_t file_offset;             //  8  bytes
  struct mooring_registration_t*
      registration;            // 16  of the ring that this is submitted to, or NULL
  uint32_t lease_first_index;  // 24
  uint32_t lease_generation;   // 28
  uint64_t offset;             // 32  bytes, address, nanoseconds or user_data: see above
  uint64_t size;               // 40  bytes, at most MOORING_OPERATION_BYTES_MAX where data moves
  uint64_t user_data;          // 48  returned as it is
  uint64_t parameter;          // 56  by opcode; 0 where none is named
} mooring_op_t;

typedef uint32_t mooring_path_t;
enum {
  MOORING_PATH_NONE = 0,   // no data moved: nop, fsync, open, ...
  MOORING_PATH_FIXED = 1,  // through the ring's fixed-buffer table: pages pinned once
  MOORING_PATH_COPY =
      2,  // an ordinary address: pages looked up and pinned, or copied, for this operation
};

typedef uint32_t mooring_completion_flags_t;
enum {
  MOORING_COMPLETION_END_OF_FILE = 1u << 0,  // a read or receive of more than 0 bytes gave 0
  MOORING_COMPLETION_SHORT = 1u << 1,        // fewer bytes than asked, and no error
  MOORING_COMPLETION_MORE =
      1u << 2,  // not the operation's last: it is still in flight (ACCEPT_, RECV_MULTISHOT)
};

// 32 bytes, no padding.
typedef struct mooring_completion_t {
  uint64_t user_data;                //  0
  int64_t result;                    //  8  bytes (or what the opcode says), or a negative errno
  mooring_completion_flags_t flags;  // 16
  mooring_path_t path;               // 20
  uint32_t lease_first_index;        // 24  lease handed over, by RECV_MULTISHOT; else 0
  uint32_t lease_generation;         // 28
} mooring_completion_t;

MOORING_END_DECLS

#endif  // MOORING_OPERATION_H_
