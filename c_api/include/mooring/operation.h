// operation.h: operations and completions, as data.
//
// An operation is a fixed 64-byte record. A ring takes a batch of operations in one call (ring.h)
// and returns exactly one 32-byte completion for each. A multishot operation returns several: all
// but its last have the flag MORE. The library keeps no pointer to a record after the submit call.
// Memory that a record names by address (paths, statx buffers, unregistered data) belongs to the
// caller, who keeps it until the completion.
//
// Where the bytes of an operation are:
// - registration set, lease_generation not 0: in that lease. `offset` counts from its first byte.
//   The library holds the lease until the completion, so the caller may release it earlier.
// - registration set, lease_generation 0: `offset` counts from the first byte of the slab. This is
//   for callers that run their own allocator over the slab. The library keeps the slab's memory
//   until the completion, and holds no buffer of it.
// - registration NULL: `offset` is an address, and the operation takes the copy path.
//
// With a registration, an operation takes the fixed path when its bytes lie within one pinned
// extent, otherwise the copy path. The `path` of the completion names the one taken. There are two
// exceptions: a send may take the copy path (MOORING_SEND_*), and a receive always takes it.
#ifndef MOORING_OPERATION_H_
#define MOORING_OPERATION_H_

#include <stdint.h>

#include "mooring/export.h"

MOORING_BEGIN_DECLS

struct mooring_registration_t;

// For each opcode: the fields that it reads, then the result. Fields that are not named are 0.
typedef uint16_t mooring_opcode_t;
enum {
  // Completes immediately, with result 0.
  MOORING_OPCODE_NOP = 0,
  // fd, file_offset, offset, size. Result: bytes read; 0 with END_OF_FILE at the end of the file.
  // Short reads happen where read(2) has them.
  MOORING_OPCODE_READ = 1,
  // fd, file_offset, offset, size. Result: bytes written.
  MOORING_OPCODE_WRITE = 2,
  // fd; parameter: 0, or MOORING_FSYNC_DATA_ONLY for fdatasync(2).
  MOORING_OPCODE_FSYNC = 3,
  // fd, file_offset, size; parameter: mode (fallocate(2)).
  MOORING_OPCODE_FALLOCATE = 4,
  // fd: directory or AT_FDCWD; offset: address of the path; parameter: flags in the low 32 bits,
  // mode in the high 32 bits (openat(2); the library does not add O_CLOEXEC). Result: the new
  // descriptor, which the caller closes.
  MOORING_OPCODE_OPENAT = 5,
  // fd. With FIXED_FILE, the slot of the file table is emptied instead.
  MOORING_OPCODE_CLOSE = 6,
  // fd: directory or AT_FDCWD; offset: address of the path; file_offset: address of a struct statx;
  // parameter: flags in the low 32 bits, mask in the high 32 bits (statx(2)).
  MOORING_OPCODE_STATX = 7,
  // offset: nanoseconds from now (CLOCK_MONOTONIC). Result: -ETIME when the time has passed,
  // -ECANCELED when the operation is cancelled.
  MOORING_OPCODE_TIMEOUT = 8,
  // offset: user_data of the operations to cancel. Result: the number of operations whose
  // cancellation it requested, -ENOENT if there are none. Each of them still completes, with
  // -ECANCELED or with the result that it reached: the kernel cannot stop every operation that
  // runs. CANCEL takes no flags, and must not be in a chain of links.
  MOORING_OPCODE_CANCEL = 9,

  // Sockets. Each operation waits until the socket is ready, and can be cancelled while it waits.
  // Leave O_NONBLOCK off: the threads engine and recent kernels ignore it, and with other kernels
  // the result is -EAGAIN.

  // fd, offset, size; parameter: in the low 32 bits MSG_* of send(2), of which MSG_CONFIRM,
  // DONTROUTE, DONTWAIT, EOR, MORE, NOSIGNAL, OOB and WAITALL are allowed; in the high 32 bits
  // MOORING_SEND_*. Result: bytes sent. It never raises SIGPIPE. With MSG_WAITALL, a send on a
  // stream continues until all bytes are sent; if an error or a cancellation follows after a part,
  // the result is that part. Without MSG_WAITALL it may be short, as send(2) on a non-blocking
  // descriptor. LINK implies MSG_WAITALL.
  MOORING_OPCODE_SEND = 10,
  // fd, offset, size; parameter: MSG_* of recv(2), of which MSG_DONTWAIT, OOB, PEEK, TRUNC and
  // WAITALL are allowed (not PEEK together with WAITALL). Result: bytes received; 0 with
  // END_OF_FILE at the end of a stream, or for an empty datagram. LINK implies MSG_WAITALL. With
  // MSG_WAITALL, a SHORT result means that the stream ended or failed, and does not show which of
  // the two: when the kernel continues after a part, it consumes the error of the socket without
  // reporting it (seen on Linux 6.18), and the next receive may return 0. Callers that read to an
  // end which only the peer knows leave MSG_WAITALL off.
  MOORING_OPCODE_RECV = 11,
  // fd: listening socket; parameter: 0 or SOCK_NONBLOCK, for the new descriptor. offset,
  // file_offset: addresses of memory for the peer's sockaddr and of a socklen_t with its size,
  // which the caller keeps until the completion; or both 0. Result: the new descriptor,
  // close-on-exec, which the caller closes.
  MOORING_OPCODE_ACCEPT = 12,
  // fd, offset: address of a sockaddr, which the caller keeps until the completion; size: its
  // length, at most 128 bytes. Result: 0 when connected, or a negative errno.
  MOORING_OPCODE_CONNECT = 13,
  // fd; parameter: SHUT_RD, SHUT_WR or SHUT_RDWR (shutdown(2)). On io_uring before 5.11 flags are
  // not supported: -EINVAL.
  MOORING_OPCODE_SHUTDOWN = 14,
  // fd; parameter: POLL* events of poll(2). One completion. Result: the events that are present;
  // POLLERR, POLLHUP and POLLRDHUP also where they were not requested.
  MOORING_OPCODE_POLL = 15,
  // As SEND and RECV, for the bytes of several segments in order, in one message where the socket
  // has messages. offset: address of mooring_segment_t records, which submit reads and the caller
  // may reuse afterwards; size: their number, 1 to MOORING_SEGMENT_COUNT_MAX; parameter: as for
  // SEND and RECV. The lease fields of the operation are 0. The segments are in the slab of its
  // registration, or are addresses where that is NULL. Always the copy path: submit rejects
  // MOORING_SEND_ZERO_COPY.
  MOORING_OPCODE_SENDMSG = 16,
  MOORING_OPCODE_RECVMSG = 17,

  // Multishot operations. The caller submits one operation. It returns completions with MORE, and
  // then one without, its last: an error, the end of the stream, or -ECANCELED. Until then it
  // counts as one operation in flight. Where the kernel has multishot
  // (MOORING_FEATURE_*_MULTISHOT), a completion needs no further system call. Otherwise, and with
  // the threads engine, the next reap after each completion issues a new request. A multishot
  // operation takes FIXED_FILE and no other flag, and must not be in a chain of links. A DRAIN
  // behind it may have to wait for its end.

  // fd: listening socket; parameter: 0 or SOCK_NONBLOCK, for the new descriptors. Result: a new
  // descriptor, close-on-exec, which the caller closes.
  MOORING_OPCODE_ACCEPT_MULTISHOT = 18,
  // fd, registration. Each completion is for one buffer of the registration's slab: it carries the
  // lease of that buffer (buffer_count 1), which the caller releases to the slab. Result: bytes
  // received. A datagram larger than a buffer is cut. Last completion: 0 with END_OF_FILE at the
  // end of a stream, or for an empty datagram. When no buffer is free, the operation pauses. It
  // continues after any thread has released leases: a reap that waits, or the next one, restarts
  // it, and event_fd becomes readable for that. The ring leases provided_buffer_count buffers of
  // the registration in advance, and the kernel takes one when bytes arrive. Without provided
  // buffers, or where the kernel lacks them, each operation leases one buffer and waits with it.
  MOORING_OPCODE_RECV_MULTISHOT = 19,
};

// The largest number of segments of one operation.
#define MOORING_SEGMENT_COUNT_MAX UINT32_C(16)

// Kind of a SEND, in the high 32 bits of its parameter. A zero-copy send passes the pinned pages
// themselves to the network device. It has one completion, when the pages are free again: for TCP,
// when the peer has acknowledged the bytes or the socket is closed. Until then the library holds
// its memory and lease, also while the ring is closed, and cancellation does not end it: close the
// socket first. The path of the completion is FIXED when the kernel copied nothing, and COPY when
// it had to copy (the loopback device always copies).
typedef uint32_t mooring_send_t;
enum {
  // Zero-copy where it is faster: TCP or UDP, pinned memory, 48 KiB or more, a descriptor that is
  // not from the file table, and a socket on which the kernel has not recently copied zero-copy
  // sends. Otherwise a plain send.
  MOORING_SEND_AUTO = 0,
  // Zero-copy. Submit rejects the operation with UNSUPPORTED where the memory is not pinned or
  // MOORING_FEATURE_SEND_ZERO_COPY is absent. The result is -EOPNOTSUPP on a socket without
  // zero-copy (AF_UNIX, kernel TLS).
  MOORING_SEND_ZERO_COPY = 1,
  // A plain send.
  MOORING_SEND_COPY = 2,
};

typedef uint16_t mooring_operation_flags_t;
enum {
  // The next operation of this batch starts after this one has succeeded in full. After a failure
  // or a short count, the rest of the chain completes with -ECANCELED. A chain must end in the
  // batch where it began.
  MOORING_OPERATION_LINK = 1u << 0,
  // Starts after all operations that were submitted before it have completed. Later operations
  // start after it.
  MOORING_OPERATION_DRAIN = 1u << 1,
  // fd is an index of the ring's file table (mooring_ring_set_file).
  MOORING_OPERATION_FIXED_FILE = 1u << 2,
};

// 64 bytes on every platform with 64-bit pointers, no padding. All zero is a NOP.
//
// The caller keeps `fd` open, and the memory at `offset` valid, until the completion: the threads
// engine and SQPOLL use them when the operation starts, which may be after submit.
typedef struct mooring_op_t {
  mooring_opcode_t opcode;          //  0
  mooring_operation_flags_t flags;  //  2
  int32_t fd;                       //  4
  uint64_t file_offset;             //  8  bytes
  // 16  a registration of the ring that takes the operation, or NULL
  struct mooring_registration_t* registration;
  uint32_t lease_first_index;  // 24
  uint32_t lease_generation;   // 28
  uint64_t offset;             // 32  bytes, address, nanoseconds or user_data, by opcode
  uint64_t size;               // 40  bytes, at most MOORING_OPERATION_BYTES_MAX where data moves
  uint64_t user_data;          // 48  returned unchanged in the completion
  uint64_t parameter;          // 56  by opcode; 0 where the opcode names none
} mooring_op_t;

// A part of the bytes of a SENDMSG or RECVMSG. 24 bytes, no padding. The first three fields have
// the same meaning as in mooring_op_t. The library holds the lease until the completion.
typedef struct mooring_segment_t {
  uint32_t lease_first_index;  //  0
  uint32_t lease_generation;   //  4
  uint64_t offset;             //  8  bytes, or an address
  uint64_t size;               // 16  bytes; in sum at most MOORING_OPERATION_BYTES_MAX
} mooring_segment_t;

typedef uint32_t mooring_path_t;
enum {
  // No data moved: nop, fsync, open, ...
  MOORING_PATH_NONE = 0,
  // Through the ring's fixed-buffer table: the pages were pinned once.
  MOORING_PATH_FIXED = 1,
  // By address: the kernel looked up and pinned the pages, or copied the bytes, for this operation.
  MOORING_PATH_COPY = 2,
};

typedef uint32_t mooring_completion_flags_t;
enum {
  // A read or receive of more than 0 bytes returned 0.
  MOORING_COMPLETION_END_OF_FILE = 1u << 0,
  // Fewer bytes than requested, and no error.
  MOORING_COMPLETION_SHORT = 1u << 1,
  // Not the operation's last completion: it is still in flight (ACCEPT_MULTISHOT, RECV_MULTISHOT).
  MOORING_COMPLETION_MORE = 1u << 2,
};

// 32 bytes, no padding.
typedef struct mooring_completion_t {
  uint64_t user_data;                //  0
  int64_t result;                    //  8  bytes (or as the opcode defines), or a negative errno
  mooring_completion_flags_t flags;  // 16
  mooring_path_t path;               // 20
  uint32_t lease_first_index;  // 24  the lease that RECV_MULTISHOT passes to the caller; else 0
  uint32_t lease_generation;   // 28
} mooring_completion_t;

// The largest number of bytes of one operation: the limit of the kernel, 2^31 less one page
// (read(2)). Submit rejects more with INVALID_ARGUMENT. It never truncates.
#define MOORING_OPERATION_BYTES_MAX UINT64_C(0x7ffff000)

// file_offset of a read or write at the file position of the descriptor, which the operation
// advances. Also for pipes and terminals.
#define MOORING_FILE_OFFSET_CURRENT UINT64_MAX

// parameter of a FSYNC that is fdatasync(2).
#define MOORING_FSYNC_DATA_ONLY UINT64_C(1)

MOORING_END_DECLS

#endif  // MOORING_OPERATION_H_
