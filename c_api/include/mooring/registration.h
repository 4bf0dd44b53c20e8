// registration.h: a slab made nameable by a ring, pinned as far as the machine allows, and the
// truth about how far.
//
// Pinning is charged to RLIMIT_MEMLOCK, a budget per user that other processes share and nobody can
// read. So a registration under PREFER never fails for want of it: it pins what fits (PARTIAL), or
// nothing (COPY), the same operations still work, and the report says which, why, with the numbers,
// and what to change. Under REQUIRE the same text is an error.
//
// A slab is pinned in extents of up to 1 GiB, one slot of the ring's fixed-buffer table each. One
// that grows (mooring_slab_grow) adds extents to each of its registrations; bytes_requested and
// extent_count grow with it.
//
// A slab that another ring of the process has registered already is not pinned, nor charged, again
// where the kernel can clone slots (MOORING_FEATURE_CLONE_BUFFERS): the rings share the pins, and
// the last of them lets go. Either may be destroyed first. Extents are shared that begin and end
// alike, so use the same extent_bytes_max. Slots of a ring with OWNER_THREAD can be cloned on its
// owner's thread only. What cannot be cloned is pinned anew.
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
  MOORING_POLICY_PREFER = 0,   // pin what can be pinned
  MOORING_POLICY_REQUIRE = 1,  // all of it, or fail
  MOORING_POLICY_NEVER = 2,    // pin nothing
};

typedef uint32_t mooring_outcome_t;
enum {
  MOORING_OUTCOME_FIXED = 0,  // every byte is pinned
  MOORING_OUTCOME_PARTIAL =
      1,  // a part is, a prefix unless the slab grew; the rest takes the copy path
  MOORING_OUTCOME_COPY = 2,  // nothing is
};

typedef uint32_t mooring_reason_t;
enum {
  MOORING_REASON_NONE = 0,
  MOORING_REASON_POLICY = 1,         // NEVER was asked for
  MOORING_REASON_MEMLOCK_LIMIT = 2,  // RLIMIT_MEMLOCK
  MOORING_REASON_OUT_OF_MEMORY = 3,  // the kernel itself had none
  MOORING_REASON_BACKING_REFUSED =
      4,  // the kernel does not pin this memory (file-backed, device, read-only)
  MOORING_REASON_TABLE_FULL = 5,  // no slot is free: raise fixed_buffer_count
  MOORING_REASON_KERNEL_TOO_OLD =
      6,  // no fixed buffers; with EBUSY (before 5.13): not while operations are in flight
  MOORING_REASON_REGISTER_DENIED = 7,  // a filter refuses io_uring_register(2)
  MOORING_REASON_ENGINE_THREADS = 8,   // the threads engine has no fixed path
  MOORING_REASON_OWNER_THREAD =
      9,  // registered, or grown, on another thread: waits for the ring owner's next call
};

// Whose pins an extent's bytes are.
typedef uint32_t mooring_source_t;
enum {
  MOORING_SOURCE_NONE = 0,    // nobody's: the copy path
  MOORING_SOURCE_PINNED = 1,  // pinned, and charged, for this registration
  MOORING_SOURCE_CLONED = 2,  // pinned already by another ring of this process, and shared with it
};

enum {
  // The soft RLIMIT_MEMLOCK may be raised to the hard one, for the whole process, before giving up.
  MOORING_REGISTRATION_RAISE_MEMLOCK = 1u << 0,
};

typedef struct mooring_registration_options_t {
  uint32_t struct_size;  // sizeof(mooring_registration_options_t)
  uint32_t flags;        // MOORING_REGISTRATION_*
  mooring_policy_t policy;
  // Buffers of the slab, at most 32768, that the ring leases and keeps ready for RECV_MULTISHOT
  // (operation.h); 0 = none.
  uint32_t provided_buffer_count;
  uint64_t
      extent_bytes_max;  // a multiple of the page size; 0 = 1 GiB, the kernel's limit (up to 7.0)
} mooring_registration_options_t;

#define MOORING_REGISTRATION_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_registration_options_t), 0, 0, 0, 0 }

typedef struct mooring_registration_info_t {
  uint32_t struct_size;
  mooring_policy_t policy;
  mooring_outcome_t outcome;
  mooring_reason_t reason;
  int32_t system_error;  // errno that ended pinning, 0 if none
  uint32_t extent_count;
  uint64_t bytes_requested;     // the slab's
  uint64_t bytes_fixed;         // pinned, a prefix of each extent
  uint64_t memlock_soft_bytes;  // RLIMIT_MEMLOCK now; UINT64_MAX = unlimited
  uint64_t memlock_hard_bytes;
  uint64_t memlock_used_bytes;  // charged by the rings and extents of this process; other processes
                                // are not counted
  uint32_t memlock_exempt;  // 1 when the ring was made with CAP_IPC_LOCK, so that no limit applies
  uint32_t provided_buffer_count;  // as asked for; 0 where the ring cannot keep any: RECV_MULTISHOT
                                   // then leases one by one
  char message[512];               // what happened; "" when the outcome is FIXED
  char remedy[512];                // what to do about it; "" when the outcome is FIXED
  uint64_t bytes_cloned;  // of bytes_fixed: pinned already by another ring of this process, and
                          // charged once
  // errno that kept provided buffers from the ring, 0 if none: EOPNOTSUPP (the threads engine),
  // EINVAL (a kernel before 6.0), EEXIST (another thread than the ring's owner), ENOMEM (memlock:
  // where rings are charged, 16 bytes for each).
  int32_t provided_system_error;
  uint32_t reserved;
} mooring_registration_info_t;

typedef struct mooring_extent_info_t {
  uint32_t struct_size;
  mooring_outcome_t outcome;
  mooring_reason_t reason;
  int32_t system_error;
  uint64_t offset;       // of the extent in the slab, bytes
  uint64_t size;         // bytes
  uint64_t bytes_fixed;  // a prefix of the extent
  mooring_source_t source;
  uint32_t reserved;
} mooring_extent_info_t;

// mooring_registration_create makes `slab` nameable by operations on `ring`, pinning it as
// `options->policy` says. NULL options are all default.
//
// Before Linux 5.13 the kernel registers only while the ring is idle. Where it is not, PREFER gives
// the copy path, with EBUSY, until a call on the ring finds it idle; REQUIRE fails, to be retried
// later.
//
// With OWNER_THREAD only the owner can pin. On another thread PREFER gives the copy path, with
// MOORING_REASON_OWNER_THREAD, until the owner next calls the ring (a reap that waits is such a
// call); REQUIRE fails, and no buffers are provided.
//
// Thread: any.
// Blocks: while pages are pinned (about 4 ms per 64 MiB of ordinary pages, 0.2 ms of huge ones),
// and for up to 1.5 s when
//         memlock budget that this process gave back has not come back yet.
// Owns:   keeps `ring` and `slab` until mooring_registration_destroy; lends `*out_registration`.
// Errors: INVALID_ARGUMENT, INVALID_STATE (closed ring), FORKED; with REQUIRE also MEMLOCK_LIMIT,
// EXHAUSTED, UNSUPPORTED,
//         PERMISSION and INVALID_STATE (not idle, not the owner), with the message and remedy that
//         PREFER reports.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_create(
    mooring_ring_t* ring, mooring_slab_t* slab, const mooring_registration_options_t* options,
    mooring_registration_t** out_registration) MOORING_NOEXCEPT;

// mooring_registration_get_info fills `*out_info`, whose struct_size the caller has set.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_get_info(
    const mooring_registration_t* registration,
    mooring_registration_info_t* out_info) MOORING_NOEXCEPT;

// mooring_registration_get_extent fills `*out_info` for extent `index`, from 0 to extent_count - 1.
//
// Thread: any.
// Errors: INVALID_ARGUMENT (struct_size, index), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_get_extent(
    const mooring_registration_t* registration, uint32_t index,
    mooring_extent_info_t* out_info) MOORING_NOEXCEPT;

// mooring_registration_promote tries again to pin what is not pinned yet, for example after the
// limit was raised. Operations in flight are not disturbed. Success tells only that it tried: ask
// get_info. Under NEVER it does nothing.
//
// What waits for memlock is promoted without this call too: whenever a registration, slab or ring
// of this process is destroyed, or a slab closed, that call tries once, without pauses, to pin what
// waits, oldest first. With OWNER_THREAD, promotion from another thread, by this call or by such a
// one, is left to the owner's next call on the ring. Kernels up to 6.3 return budget a second late:
// there, call this, which waits for it.
//
// Thread: any.
// Blocks: as mooring_registration_create; not at all where it is left to the owner.
// Errors: INVALID_STATE (closed ring), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_registration_promote(
    mooring_registration_t* registration) MOORING_NOEXCEPT;

// mooring_registration_destroy gives the registration back and does not wait. Operations in flight
// finish as they were submitted; the pins and the slab's memory follow them. NULL is allowed.
//
// Thread: any; once, with no other call on `registration` running and none to be submitted with it.
// Owns:   takes `registration`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_registration_destroy(mooring_registration_t* registration)
    MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_REGISTRATION_H_
