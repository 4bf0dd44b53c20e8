// registration.h: makes a slab usable by a ring, pins it as far as the machine permits, and reports
// the result.
//
// Pinned memory is charged to RLIMIT_MEMLOCK. The budget is per user, other processes share it, and
// no interface returns what is left. So a registration with PREFER does not fail when the budget is
// too small: it pins the part that fits (PARTIAL) or nothing (COPY). The same operations work, and
// the report has the outcome, the reason with the numbers, and the remedy. With REQUIRE the same
// text is an error.
//
// A slab is pinned in extents of up to 1 GiB. Each takes one slot of the ring's fixed-buffer table.
// When the slab grows (mooring_slab_grow), each of its registrations adds extents, and
// bytes_requested and extent_count increase.
//
// When another ring of the process has the slab registered already, and the kernel can clone slots
// (MOORING_FEATURE_CLONE_BUFFERS), the rings share the pins. The memory is not pinned or charged a
// second time, and the last ring releases it. Either may be destroyed first. Extents are shared
// when they have the same begin and end, so use the same extent_bytes_max. Slots of a ring with
// OWNER_THREAD can be cloned only on its owner's thread. Other extents are pinned again.
#ifndef MOORING_REGISTRATION_H_
#define MOORING_REGISTRATION_H_

#include <stdint.h>

#include "mooring/error.h"
#include "mooring/export.h"
#include "mooring/ring.h"
#include "mooring/slab.h"

MOORING_BEGIN_DECLS

typedef struct mooring_registration_t mooring_registration_t;

typedef uint32_t mooring_policy_t;
enum {
  MOORING_POLICY_PREFER = 0,   // pin as much as possible
  MOORING_POLICY_REQUIRE = 1,  // pin all of it, or fail
  MOORING_POLICY_NEVER = 2,    // pin nothing
};

typedef uint32_t mooring_outcome_t;
enum {
  // Every byte is pinned.
  MOORING_OUTCOME_FIXED = 0,
  // A part is pinned: a prefix, unless the slab has grown. The rest takes the copy path.
  MOORING_OUTCOME_PARTIAL = 1,
  // Nothing is pinned.
  MOORING_OUTCOME_COPY = 2,
};

// Why not every byte is pinned.
typedef uint32_t mooring_reason_t;
enum {
  MOORING_REASON_NONE = 0,
  // The policy is NEVER.
  MOORING_REASON_POLICY = 1,
  // RLIMIT_MEMLOCK.
  MOORING_REASON_MEMLOCK_LIMIT = 2,
  // The kernel had no memory.
  MOORING_REASON_OUT_OF_MEMORY = 3,
  // The kernel does not pin this memory (file-backed, device, read-only).
  MOORING_REASON_BACKING_REFUSED = 4,
  // No slot is free: increase fixed_buffer_count.
  MOORING_REASON_TABLE_FULL = 5,
  // No fixed buffers. With EBUSY (before 5.13): not while operations are in flight.
  MOORING_REASON_KERNEL_TOO_OLD = 6,
  // A filter rejects io_uring_register(2).
  MOORING_REASON_REGISTER_DENIED = 7,
  // The threads engine has no fixed path.
  MOORING_REASON_ENGINE_THREADS = 8,
  // Registered or grown on another thread: it waits for the ring owner's next call.
  MOORING_REASON_OWNER_THREAD = 9,
};

// Which registration has pinned the bytes of an extent.
typedef uint32_t mooring_source_t;
enum {
  MOORING_SOURCE_NONE = 0,    // none: the copy path
  MOORING_SOURCE_PINNED = 1,  // this one, which is charged for them
  MOORING_SOURCE_CLONED = 2,  // that of another ring of this process, which shares the pins
};

enum {
  // The library may raise the soft RLIMIT_MEMLOCK to the hard one, for the whole process, before it
  // falls back.
  MOORING_REGISTRATION_RAISE_MEMLOCK = 1u << 0,
};

typedef struct mooring_registration_options_t {
  uint32_t struct_size;  // sizeof(mooring_registration_options_t)
  uint32_t flags;        // MOORING_REGISTRATION_*
  mooring_policy_t policy;
  // Provided buffers: buffers of the slab, at most 32,768, that the ring leases in advance for
  // RECV_MULTISHOT (operation.h); 0 = none.
  uint32_t provided_buffer_count;
  // Largest extent in bytes, a multiple of the page size; 0 = 1 GiB, the kernel's limit (up to
  // 7.0).
  uint64_t extent_bytes_max;
} mooring_registration_options_t;

#define MOORING_REGISTRATION_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_registration_options_t), 0, 0, 0, 0 }

typedef struct mooring_registration_info_t {
  uint32_t struct_size;
  mooring_policy_t policy;
  mooring_outcome_t outcome;
  mooring_reason_t reason;
  int32_t system_error;  // errno that ended pinning, 0 if there is none
  uint32_t extent_count;
  uint64_t bytes_requested;     // bytes of the slab
  uint64_t bytes_fixed;         // pinned bytes: a prefix of each extent
  uint64_t memlock_soft_bytes;  // RLIMIT_MEMLOCK now (getrlimit(2)); UINT64_MAX = unlimited
  uint64_t memlock_hard_bytes;
  // Charged for the rings and extents of this process. Other processes are not counted.
  uint64_t memlock_used_bytes;
  uint32_t memlock_exempt;  // 1 when the ring was made with CAP_IPC_LOCK: no limit applies
  // As requested; 0 where the ring cannot provide buffers. RECV_MULTISHOT then leases one by one.
  uint32_t provided_buffer_count;
  char message[512];      // what happened; "" when the outcome is FIXED
  char remedy[512];       // what to do about it; "" when the outcome is FIXED
  uint64_t bytes_cloned;  // of bytes_fixed: pinned by another ring of this process, charged once
  // errno that prevented provided buffers, 0 if none: EOPNOTSUPP (the threads engine), EINVAL (a
  // kernel before 6.0), EEXIST (a thread that is not the ring's owner), ENOMEM (memlock: where
  // rings are charged, 16 bytes for each buffer).
  int32_t provided_system_error;
  uint32_t reserved;
} mooring_registration_info_t;

typedef struct mooring_extent_info_t {
  uint32_t struct_size;
  mooring_outcome_t outcome;
  mooring_reason_t reason;
  int32_t system_error;  // errno of reason, 0 if there is none
  uint64_t offset;       // of the extent in the slab, bytes
  uint64_t size;         // bytes
  uint64_t bytes_fixed;  // a prefix of the extent
  mooring_source_t source;
  uint32_t reserved;
} mooring_extent_info_t;

// mooring_registration_create registers `slab` on `ring`, so that operations can name it, and pins
// it as `options->policy` requires. NULL options mean default in every field.
//
// Before Linux 5.13 the kernel registers only while the ring is idle. On a ring that is not, PREFER
// gives the copy path, with EBUSY, until a call on the ring finds it idle. REQUIRE fails, and can
// be retried later.
//
// With OWNER_THREAD only the owner can pin. On another thread, PREFER gives the copy path, with
// MOORING_REASON_OWNER_THREAD, until the owner's next call on the ring; a reap that is waiting
// counts as that call. REQUIRE fails. No buffers are provided.
//
// Thread: any.
// Blocks: while pages are pinned (about 4 ms per 64 MiB of base pages, 0.2 ms of huge pages), and
//         for up to 1.5 s while the kernel has not yet returned memlock budget that this process
//         released.
// Owns:   keeps `ring` and `slab` until mooring_registration_destroy; lends `*out_registration`
//         until then.
// Errors: INVALID_ARGUMENT, INVALID_STATE (closed ring), FORKED. With REQUIRE also MEMLOCK_LIMIT,
//         EXHAUSTED, UNSUPPORTED, PERMISSION and INVALID_STATE (not idle, not the owner), with the
//         message and remedy that PREFER reports.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_create(
    mooring_ring_t* ring, mooring_slab_t* slab, const mooring_registration_options_t* options,
    mooring_registration_t** out_registration) MOORING_NOEXCEPT;

// mooring_registration_get_info fills `*out_info`. The caller has set its struct_size.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_get_info(
    const mooring_registration_t* registration,
    mooring_registration_info_t* out_info) MOORING_NOEXCEPT;

// mooring_registration_get_extent fills `*out_info` for extent `index`, from 0 to extent_count - 1.
// The caller has set its struct_size.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size, index), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_get_extent(
    const mooring_registration_t* registration, uint32_t index,
    mooring_extent_info_t* out_info) MOORING_NOEXCEPT;

// mooring_registration_promote tries again to pin the bytes that are not pinned, for example after
// the limit was raised. Operations in flight continue. Success means only that it has tried:
// mooring_registration_get_info reports the result. With NEVER it does nothing.
//
// Registrations that wait for memlock budget are promoted without this call too. When a
// registration, slab or ring of this process is destroyed, or a slab is closed, that call tries
// once, without pauses, to pin what waits, oldest first. With OWNER_THREAD, a promotion on another
// thread, by this call or by one of those, is left to the owner's next call on the ring. Kernels up
// to 6.3 return budget a second late: there, use this call, which waits for it.
//
// Thread: any.
// Blocks: as mooring_registration_create; no where the promotion is left to the owner.
// Errors: INVALID_STATE (closed ring), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_promote(
    mooring_registration_t* registration) MOORING_NOEXCEPT;

// mooring_registration_destroy destroys the registration without waiting. Operations in flight
// finish as they were submitted, and the pins and the slab's memory stay until then. NULL is
// allowed.
//
// Thread: any; once, with no other call on `registration` running, and with no operation submitted
//         with it afterwards.
// Owns:   takes `registration`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_registration_destroy(mooring_registration_t* registration)
    MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_REGISTRATION_H_
