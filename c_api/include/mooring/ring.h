// ring.h: submission and completion of operations.
//
// There are two engines with the same behaviour. `io_uring` uses the kernel's interface. `threads`
// is a pool of workers over preadv2(2), pwritev2(2), send(2), recv(2) and poll(2), for machines
// where io_uring is missing or denied. MOORING_ENGINE_AUTO takes io_uring if the kernel permits it,
// otherwise threads. mooring_ring_get_info reports which engine it is, and why. The library never
// replaces an engine that the caller named: create fails instead.
//
// Threads: a ring has two sides, submission (submit, cancel, set_file) and completion (reap). Each
// side is one-at-a-time: any thread may call, and the caller ensures that calls of one side do not
// overlap. One thread may submit while another reaps. A second caller on one side gets
// INVALID_STATE. With OWNER_THREAD, only the thread that created the ring makes calls on it, except
// destroy, and the kernel has less work (IORING_SETUP_SINGLE_ISSUER, DEFER_TASKRUN: 6.1).
//
// Every operation that submit accepts gets one completion, also when it fails, is cancelled, or the
// ring is closed. A multishot operation gets one or more (operation.h). The data path allocates no
// memory, with the one exception in note (1) below.
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
  // The caller asked for threads.
  MOORING_ENGINE_REASON_POLICY = 1,
  // RLIMIT_MEMLOCK is too small for the ring itself (kernels 6.14 to 7.0).
  MOORING_ENGINE_REASON_MEMLOCK_LIMIT = 2,
  // A seccomp filter returns EPERM.
  MOORING_ENGINE_REASON_IO_URING_DENIED = 3,
  // The sysctl kernel.io_uring_disabled forbids it.
  MOORING_ENGINE_REASON_IO_URING_DISABLED = 4,
  // The kernel, or a filter in front of it, returns ENOSYS.
  MOORING_ENGINE_REASON_IO_URING_MISSING = 5,
};

enum {
  // Only the creating thread calls. Enables SINGLE_ISSUER and DEFER_TASKRUN where the kernel has
  // them.
  MOORING_RING_OWNER_THREAD = 1u << 0,
  // A kernel thread polls for submissions (IORING_SETUP_SQPOLL). It uses a CPU while it polls: use
  // it for steady load only.
  MOORING_RING_SQPOLL = 1u << 1,
  // The library may raise the soft RLIMIT_MEMLOCK to the hard one, for the whole process, if the
  // soft limit is too small for the ring itself.
  MOORING_RING_RAISE_MEMLOCK = 1u << 2,
};

typedef struct mooring_ring_options_t {
  uint32_t struct_size;  // sizeof(mooring_ring_options_t)
  uint32_t flags;        // MOORING_RING_*
  mooring_engine_t engine;
  // Entries of the submission queue, rounded up to a power of two; 0 = 128, at most 32,768.
  uint32_t submission_count;
  uint32_t completion_count;    // entries of the completion queue; 0 = twice submission_count
  uint32_t in_flight_max;       // operations in flight; 0 = completion_count, at most 1,048,576
  uint32_t fixed_buffer_count;  // slots of the fixed-buffer table, one per extent; 0 = 1,024, at
                                // most 16,384
  uint32_t fixed_file_count;    // slots of the file table; 0 = none, at most 32,768
  uint32_t worker_count;        // threads engine: workers; 0 = by CPUs, at most 256
  uint32_t sqpoll_idle_ms;      // SQPOLL: milliseconds until the kernel thread sleeps; 0 = 1,000
} mooring_ring_options_t;

#define MOORING_RING_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_ring_options_t), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef struct mooring_ring_info_t {
  uint32_t struct_size;
  uint32_t flags;  // MOORING_RING_* in effect
  mooring_engine_t engine;
  mooring_engine_reason_t engine_reason;
  int32_t system_error;  // errno of engine_reason, 0 if there is none
  uint32_t submission_count;
  uint32_t completion_count;
  uint32_t in_flight_max;
  uint32_t fixed_buffer_count;  // 0 where there is no table
  uint32_t fixed_file_count;
  uint32_t worker_count;   // 0 for io_uring
  uint32_t setup_flags;    // IORING_SETUP_* in effect, 0 for threads
  uint64_t features;       // MOORING_FEATURE_* found (facts.h)
  uint64_t memlock_bytes;  // charged to RLIMIT_MEMLOCK for the ring itself, as far as known
  char message[256];       // why the engine is not io_uring; "" if it is
  char remedy[512];        // how to get io_uring; "" if there is nothing to do
} mooring_ring_info_t;

// Counters since create. Each is a snapshot; they are not all of the same moment.
typedef struct mooring_ring_stats_t {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t submitted;
  uint64_t completed;    // returned by reap
  uint64_t failed;       // of `completed`: with a negative result, cancelled ones included
  uint64_t cancelled;    // of `completed`: with -ECANCELED
  uint64_t read;         // completed reads on the copy path
  uint64_t read_fixed;   // completed reads on the fixed path
  uint64_t write;        // completed writes on the copy path
  uint64_t write_fixed;  // completed writes on the fixed path
  uint64_t read_bytes;   // on both paths
  uint64_t write_bytes;
  uint64_t short_count;     // reads, writes, sends and receives of fewer bytes than requested
  uint64_t in_flight;       // now
  uint64_t system_calls;    // io_uring_enter(2) calls, or work items of the threads engine
  uint64_t overflow_count;  // times that the completion queue was full (no completion is lost)
  uint64_t send;            // completed sends on the copy path
  uint64_t recv;            // completed receives
  uint64_t send_bytes;
  uint64_t recv_bytes;
  uint64_t send_zero_copy;       // completed sends on the fixed path
  uint64_t send_copied;          // of `send`: zero-copy sends that the kernel copied
  uint64_t multishot_completed;  // completions with MORE, which `completed` does not count
  uint64_t multishot_requests;   // requests made for multishot operations; as many as operations
                                 // where the kernel has multishot
} mooring_ring_stats_t;

// (1) Exception: the call in which an owner promotes a registration that waits for memlock budget.
// Another thread has returned the budget and left the promotion to the owner (registration.h).

// mooring_ring_create makes a ring. NULL options mean default in every field.
//
// Thread: any; with OWNER_THREAD the calling thread becomes the owner.
// Blocks: no, except for up to 1.5 s while the kernel has not yet returned memlock budget that this
//         process released just before.
// Owns:   lends `*out_ring` until mooring_ring_destroy.
// Errors: INVALID_ARGUMENT. Where io_uring was named: PERMISSION (seccomp, sysctl), UNSUPPORTED (no
//         io_uring, or without the requested flags), MEMLOCK_LIMIT (with the bytes needed),
//         EXHAUSTED (descriptors, memory, threads).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_create(
    const mooring_ring_options_t* options, mooring_ring_t** out_ring) MOORING_NOEXCEPT;

// mooring_ring_submit submits `count` operations, in order, and sets `*out_accepted` to the number
// that the ring accepted.
//
// Fewer than `count` without an error means that in_flight_max is reached: reap, then submit the
// rest. A chain of links is accepted whole or not at all. A CANCEL may also have to wait for other
// cancellations, of which at most in_flight_max can be in flight. With an error, the operation
// after the accepted ones is rejected, and the accepted ones are in flight.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD. Allocates no memory (1).
// Blocks: no.
// Owns:   borrows `operations`; keeps the leases and memory that they name until their completions.
// Errors: INVALID_ARGUMENT (the message names what is wrong in which operation), INVALID_STATE
//         (stale lease, registration of another ring, closed ring, wrong thread, second submitter),
//         UNSUPPORTED (a MOORING_SEND_ZERO_COPY that is not possible), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_submit(
    mooring_ring_t* ring, const mooring_op_t* operations, uint32_t count,
    uint32_t* out_accepted) MOORING_NOEXCEPT;

// mooring_ring_reap waits until there are `min_count` completions or timeout_ns has passed, and
// writes up to `capacity` of them. It sets `*out_count` to their number. Fewer than min_count is
// not an error.
//
// Thread: completion side, one-at-a-time; owner with OWNER_THREAD. Allocates no memory (1).
// Blocks: up to timeout_ns. EINTR does not end the wait.
// Units:  timeout_ns is nanoseconds: 0 = do not wait, INT64_MAX = without a limit, never negative.
// Errors: INVALID_ARGUMENT (capacity 0, min_count above capacity, negative time), INVALID_STATE
//         (closed with no completion left, wrong thread, second reaper), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_reap(
    mooring_ring_t* ring, mooring_completion_t* completions, uint32_t capacity, uint32_t min_count,
    int64_t timeout_ns, uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_submit_and_reap is submit followed by reap, in one system call where the kernel has
// that. When submit rejects an operation, the call returns that error without waiting:
// `*out_accepted` is the number of operations before it, and `*out_count` may be greater than 0.
//
// Thread: both sides. Allocates no memory (1).
// Blocks: up to timeout_ns.
// Units:  timeout_ns is nanoseconds, as for mooring_ring_reap.
// Errors: those of mooring_ring_submit and mooring_ring_reap.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_submit_and_reap(
    mooring_ring_t* ring, const mooring_op_t* operations, uint32_t count, uint32_t* out_accepted,
    mooring_completion_t* completions, uint32_t capacity, uint32_t min_count, int64_t timeout_ns,
    uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_cancel requests the cancellation of every operation in flight that carries
// `user_data`. The call itself has no completion. Each operation still completes once: with
// -ECANCELED, or with the result that it reached. `*out_count` is the number of operations.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD.
// Blocks: no.
// Errors: NOT_FOUND (none in flight), EXHAUSTED (in_flight_max cancellations are in flight: reap,
//         then cancel again), INVALID_STATE, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_cancel(
    mooring_ring_t* ring, uint64_t user_data, uint32_t* out_count) MOORING_NOEXCEPT;

// mooring_ring_set_file puts `fd` into slot `index` of the ring's file table. -1 empties the slot.
//
// Thread: submission side, one-at-a-time; owner with OWNER_THREAD.
// Blocks: no.
// Owns:   borrows `fd`: the ring keeps its own reference to the file, and the caller may close
//         `fd`.
// Errors: INVALID_ARGUMENT (index, or a descriptor that is not open), UNSUPPORTED, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_set_file(mooring_ring_t* ring,
                                                                     uint32_t index,
                                                                     int32_t fd) MOORING_NOEXCEPT;

// mooring_ring_event_fd returns an eventfd(2) that is readable when reap may return something, for
// epoll(7) and similar. Reading it re-arms it. Read it before reaping, then reap until reap returns
// nothing.
//
// Thread: one-at-a-time with the completion side.
// Owns:   lends `*out_fd` until mooring_ring_destroy. The caller does not close it.
// Errors: EXHAUSTED (descriptors), UNSUPPORTED, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_event_fd(
    mooring_ring_t* ring, int32_t* out_fd) MOORING_NOEXCEPT;

// mooring_ring_get_info fills `*out_info`. The caller has set its struct_size.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_get_info(
    const mooring_ring_t* ring, mooring_ring_info_t* out_info) MOORING_NOEXCEPT;

// mooring_ring_get_stats fills `*out_stats`. The caller has set its struct_size.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_get_stats(
    const mooring_ring_t* ring, mooring_ring_stats_t* out_stats) MOORING_NOEXCEPT;

// mooring_ring_close rejects new operations from now on, cancels the operations in flight, and
// waits until all have finished. The caller can still reap their completions. A second call has no
// effect.
//
// Thread: both sides; owner with OWNER_THREAD. A reap that waits on another thread returns.
// Blocks: up to timeout_ns.
// Units:  timeout_ns is nanoseconds, as for mooring_ring_reap.
// Errors: INVALID_ARGUMENT (negative time), INVALID_STATE (wrong thread), TIMEOUT (with the number
//         of operations left; call again), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_ring_close(
    mooring_ring_t* ring, int64_t timeout_ns) MOORING_NOEXCEPT;

// mooring_ring_destroy destroys the ring and discards completions that were not reaped: the leases
// in them go back to the slab, and descriptors from OPENAT and ACCEPT are closed. NULL is allowed.
//
// Operations still in flight are cancelled. The memory that they use stays mapped until the kernel
// has finished with it. Registrations on the ring are no longer pinned: destroy them as usual,
// before or after the ring.
//
// Thread: any; once, with no other call on `ring` running.
// Blocks: for at most 5 ms.
// Owns:   takes `ring`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_ring_destroy(mooring_ring_t* ring) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_RING_H_
