// ring.h: submission and completion of operations.
//
// Two engines give one meaning: `io_uring`, and `threads` (a pool of workers over preadv2(2),
// pwritev2(2), send(2), recv(2) and poll(2)) where io_uring is missing or denied.
// MOORING_ENGINE_AUTO takes io_uring if the kernel gives it, else threads, and
// mooring_ring_get_info says which and why. An engine that was named is never replaced: create
// fails instead.
//
// Threads: each side of a ring, submission (submit, cancel, set_file) and completion (reap), is
// one-at-a-time: any thread may call, the caller sees to it that calls of one side do not overlap,
// and one thread may submit while another reaps. A second caller on one side gets INVALID_STATE.
// With OWNER_THREAD every call but destroy is for the thread that created the ring, and in return
// the kernel does less work (IORING_SETUP_SINGLE_ISSUER, DEFER_TASKRUN: 6.1).
//
// Every operation that submit accepts gets one completion, also when it fails, is cancelled, or the
// ring is closed. Nothing on the data path allocates, with the one exception that submit names.
#ifndef MOORING_RING_H_
#define MOORING_RING_H_

#include <stdint.h>

#include "mooring/error.h"
#include "mooring/export.h"
#include "mooring/operation.h"

MOORING_BEGIN_DECLS

typedef struct mooring_ring_t mooring_ring_t;

typedef uint32_t mooring_engine_t;
enum {
  MOORING_ENGINE_AUTO = 0,
  MOORING_ENGINE_IO_URING = 1,
  MOORING_ENGINE_THREADS = 2,
};

// Why the engine is not io_uring.
typedef uint32_t mooring_engine_reason_t;
enum {
  MOORING_ENGINE_REASON_NONE = 0,
  MOORING_ENGINE_REASON_POLICY = 1,           // the caller asked for threads
  MOORING_ENGINE_REASON_MEMLOCK_LIMIT = 2,    // the ring itself could not be charged (6.14 to 7.0)
  MOORING_ENGINE_REASON_IO_URING_DENIED = 3,  // a seccomp filter answers EPERM
  MOORING_ENGINE_REASON_IO_URING_DISABLED = 4,  // sysctl kernel.io_uring_disabled
  MOORING_ENGINE_REASON_IO_URING_MISSING =
      5,  // the kernel, or a filter in its place, answers ENOSYS
};

enum {
  // Only the creating thread calls; buys SINGLE_ISSUER and DEFER_TASKRUN where the kernel has them.
  MOORING_RING_OWNER_THREAD = 1u << 0,
  // A kernel thread polls for submissions (IORING_SETUP_SQPOLL). It spins: use it for steady load
  // only.
  MOORING_RING_SQPOLL = 1u << 1,
  // The soft RLIMIT_MEMLOCK may be raised to the hard one, for the whole process, if the ring
  // cannot be charged.
  MOORING_RING_RAISE_MEMLOCK = 1u << 2,
};

typedef struct mooring_ring_options_t {
  uint32_t struct_size;  // sizeof(mooring_ring_options_t)
  uint32_t flags;        // MOORING_RING_*
  mooring_engine_t engine;
  uint32_t submission_count;  // entries of the submission queue, rounded up to a power of two; 0 =
                              // 128, at most 32768
  uint32_t completion_count;  // entries of the completion queue; 0 = twice submission_count
  uint32_t in_flight_max;     // operations in flight; 0 = completion_count, at most 1,048,576
  uint32_t fixed_buffer_count;  // slots of the fixed-buffer table, one per extent; 0 = 1024, at
                                // most 16384
  uint32_t fixed_file_count;    // slots of the file table; 0 = none, at most 32768
  uint32_t worker_count;        // threads engine: workers; 0 = by CPUs, at most 256
  uint32_t sqpoll_idle_ms;      // SQPOLL: milliseconds until the kernel thread sleeps; 0 = 1000
} mooring_ring_options_t;

#define MOORING_RING_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_ring_options_t), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef struct mooring_ring_info_t {
  uint32_t struct_size;
  uint32_t flags;  // MOORING_RING_* as obtained
  mooring_engine_t engine;
  mooring_engine_reason_t engine_reason;
  int32_t system_error;  // errno behind engine_reason, 0 if none
  uint32_t submission_count;
  uint32_t completion_count;
  uint32_t in_flight_max;
  uint32_t fixed_buffer_count;  // 0 where there is no table
  uint32_t fixed_file_count;
  uint32_t worker_count;   // 0 for io_uring
  uint32_t setup_flags;    // IORING_SETUP_* in force, 0 for threads
  uint64_t features;       // MOORING_FEATURE_* found (facts.h)
  uint64_t memlock_bytes;  // charged for the ring itself, as far as known
  char message[256];       // why the engine is not io_uring; "" if it is
  char remedy[512];        // what to do about it; "" if nothing
} mooring_ring_info_t;

// Counters since create. A snapshot of one moment per counter, not of all together.
typedef struct mooring_ring_stats_t {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t submitted;
  uint64_t completed;   // handed to the caller by reap
  uint64_t failed;      // of those: with a negative result, cancelled ones included
  uint64_t cancelled;   // of those: -ECANCELED
  uint64_t read;        // completed reads on the copy path
  uint64_t read_fixed;  // completed reads on the fixed path
  uint64_t write;
  uint64_t write_fixed;
  uint64_t read_bytes;  // over both paths
  uint64_t write_bytes;
  uint64_t short_count;     // reads, writes, sends and receives that moved fewer bytes than asked
  uint64_t in_flight;       // now
  uint64_t system_calls;    // io_uring_enter(2) calls, or work items of the threads engine
  uint64_t overflow_count;  // times that the completion queue was found full (nothing is lost)
  uint64_t send;            // completed sends on the copy path
  uint64_t recv;            // completed receives
  uint64_t send_bytes;
  uint64_t recv_bytes;
  uint64_t send_zero_copy;       // completed sends on the fixed path
  uint64_t send_copied;          // of `send`: zero-copy sends that the kernel has copied after all
  uint64_t multishot_completed;  // completions with MORE, which `completed` does not count
  uint64_t multishot_requests;   // that operations which repeat took: as many as operations where
                                 // the kernel repeats them
} mooring_ring_stats_t;

// mooring_ring_create makes a ring. NULL options are all default.
//
// Thread: any; with OWNER_THREAD the caller becomes the owner.
// Blocks: no, but for up to 1.5 s when memlock budget that was given back just before has not come
// yet. Owns:   lends `*out_ring` until mooring_ring_destroy. Errors: INVALID_ARGUMENT, and where
// io_uring was named: PERMISSION (seccomp, sysctl), UNSUPPORTED (no io_uring, or
//         not the flags asked for), MEMLOCK_LIMIT (with the bytes needed), EXHAUSTED (descriptors,
//         memory, threads).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_create(
    const mooring_ring_options_t* options, mooring_ring_t** out_ring) MOORING_NOEXCEPT;

// (1) But for the call in which an owner promotes a registration that waits for memlock: that was
// left to it by whoever gave budget back on another thread (registration.h).

// mooring_ring_submit hands over `count` operations, in order. `*out_accepted` tells how many were
// taken: fewer than `count` without an error means that in_flight_max is reached (reap, then submit
// the rest; a chain of links is taken whole or not at all; a CANCEL waits, too, for room among the
// cancellations under way, of which there are at most as many), and with an error that the next one
// is refused and those before it are under way.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD. Allocates nothing (1).
// Blocks: no.
// Owns:   borrows `operations`; keeps leases and memory named by them until their completions.
// Errors: INVALID_ARGUMENT (bad operation, with what is bad), INVALID_STATE (stale lease, foreign
// registration, closed
//         ring, wrong thread, second submitter), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_submit(
    mooring_ring_t* ring, const mooring_op_t* operations, uint32_t count,
    uint32_t* out_accepted) MOORING_NOEXCEPT;

// mooring_ring_reap waits until `min_count` completions are there or timeout_ns has passed, and
// fills up to `capacity` of them. Fewer than min_count is not an error: `*out_count` tells.
//
// Thread: completion side, one-at-a-time; owner with OWNER_THREAD. Allocates nothing (1).
// Blocks: up to timeout_ns. EINTR does not end the wait.
// Units:  timeout_ns is nanoseconds, 0 = only look, INT64_MAX = as good as for ever, never
// negative. Errors: INVALID_ARGUMENT (capacity 0, min_count above capacity, negative time),
// INVALID_STATE (closed and nothing
//         left, wrong thread, second reaper), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_reap(
    mooring_ring_t* ring, mooring_completion_t* completions, uint32_t capacity, uint32_t min_count,
    int64_t timeout_ns, uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_submit_and_reap is submit followed by reap, in one system call where the kernel
// allows it. When submit refuses an operation, it returns that error without waiting, and
// `*out_count` may still be greater than 0.
//
// Thread: both sides. Allocates nothing (1).
// Blocks: up to timeout_ns.
// Units:  timeout_ns is nanoseconds, as for mooring_ring_reap.
// Errors: those of mooring_ring_submit and mooring_ring_reap.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_submit_and_reap(
    mooring_ring_t* ring, const mooring_op_t* operations, uint32_t count, uint32_t* out_accepted,
    mooring_completion_t* completions, uint32_t capacity, uint32_t min_count, int64_t timeout_ns,
    uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_cancel asks every operation in flight that carries `user_data` to stop, without a
// completion of its own. Each of them still completes once: with -ECANCELED, or with what it had
// done. `*out_count` is how many were asked.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD.
// Blocks: no.
// Errors: NOT_FOUND (none in flight), INVALID_STATE, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_cancel(
    mooring_ring_t* ring, uint64_t user_data, uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_set_file puts `fd` into slot `index` of the ring's file table, -1 empties it. The
// ring keeps a reference of its own: `fd` may be closed afterwards.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD.
// Blocks: no.
// Errors: INVALID_ARGUMENT (index, or a descriptor that is not open), UNSUPPORTED, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_set_file(mooring_ring_t* ring,
                                                                     uint32_t index,
                                                                     int32_t fd) MOORING_NOEXCEPT;

// mooring_ring_event_fd gives an eventfd(2) that is readable when reap may return something, for
// epoll and the like. Reading it re-arms it; read it before reaping, and reap until nothing comes.
//
// Thread: one-at-a-time with the completion side.
// Owns:   lends `*out_fd` until mooring_ring_destroy; do not close it.
// Errors: EXHAUSTED (descriptors), UNSUPPORTED, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_event_fd(
    mooring_ring_t* ring, int32_t* out_fd) MOORING_NOEXCEPT;

// mooring_ring_get_info fills `*out_info`, whose struct_size the caller has set.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_get_info(
    const mooring_ring_t* ring, mooring_ring_info_t* out_info) MOORING_NOEXCEPT;

// mooring_ring_get_stats fills `*out_stats`, whose struct_size the caller has set.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_get_stats(
    const mooring_ring_t* ring, mooring_ring_stats_t* out_stats) MOORING_NOEXCEPT;

// mooring_ring_close refuses new operations, cancels what can be cancelled and waits until every
// operation in flight has finished. Their completions stay to be reaped. A second call is a no-op.
//
// Thread: both sides; owner with OWNER_THREAD. A reap that waits on another thread returns.
// Blocks: up to timeout_ns.
// Units:  timeout_ns is nanoseconds, as for mooring_ring_reap.
// Errors: TIMEOUT (names how many are left; call again), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_close(
    mooring_ring_t* ring, int64_t timeout_ns) MOORING_NOEXCEPT;

// mooring_ring_destroy gives the ring back, with completions that were not reaped: leases that they
// would have handed over go back to the slab, and descriptors that OPENAT and ACCEPT have made are
// closed. It waits 5 ms at most: operations still in flight are cancelled, and the memory they use
// stays mapped until the kernel is done with it. Registrations on the ring become unpinned; destroy
// them as usual, before or after. NULL is allowed.
//
// Thread: any; once, with no other call on `ring` running.
// Owns:   takes `ring`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_ring_destroy(mooring_ring_t* ring) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_RING_H_
