// slab.h: memory that Mooring owns, in buffers that the caller leases.
//
// A slab is one contiguous, page-aligned range, split into equal buffers. It is independent of
// rings: registration.h makes it usable by a ring. A lease is a contiguous run of its buffers.
// Acquire and release run on any thread and allocate no memory. Both are lock-free, except a
// release while a ring waits for a buffer of the slab (mooring_slab_release).
//
// A lease may be released while operations use it: its buffers go back to the slab when the last of
// those operations completes. A lease that is used after its release is rejected (INVALID_STATE)
// and corrupts nothing: every lease carries a generation, and generation 0 is never in a lease.
//
// Destroying a slab does not wait. The pages are unmapped when no operation and no registration
// uses them and the kernel has released its pins. For memory that the caller adopted,
// mooring_slab_close returns when the caller may reuse it.
//
// A slab with a buffer_count_max can grow while it is in use. Its first byte does not move, and
// registrations, leases and operations in flight stay valid.
//
//   mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
//   options.buffer_bytes = 1 << 20;
//   options.buffer_count = 64;
//   mooring_slab_t* slab;
//   mooring_error_t* error = mooring_slab_create(&options, &slab);
#ifndef MOORING_SLAB_H_
#define MOORING_SLAB_H_

#include <stdint.h>

#include "mooring/error.h"
#include "mooring/export.h"

MOORING_BEGIN_DECLS

typedef struct mooring_slab_t mooring_slab_t;

// A contiguous run of buffers of one slab. A lease that is all zero names no buffers.
typedef struct mooring_lease_t {
  uint32_t first_index;   // of the run, counted in buffers from 0
  uint32_t buffer_count;  // of the run
  uint32_t generation;    // of this use of the run; never 0 in a lease that was acquired
  uint32_t reserved;      // 0
} mooring_lease_t;

typedef uint32_t mooring_huge_pages_t;
enum {
  MOORING_HUGE_PAGES_AUTO = 0,     // where the size and the memlock limit make them useful
  MOORING_HUGE_PAGES_NEVER = 1,    // base pages only
  MOORING_HUGE_PAGES_REQUIRE = 2,  // fail if any byte is not on a huge page
};

typedef uint32_t mooring_page_kind_t;
enum {
  MOORING_PAGE_KIND_ANY = 0,          // in options: either kind of huge page
  MOORING_PAGE_KIND_ORDINARY = 1,     // base pages; in info only
  MOORING_PAGE_KIND_TRANSPARENT = 2,  // transparent huge pages (madvise(2), MADV_HUGEPAGE)
  MOORING_PAGE_KIND_HUGETLB = 3,      // reserved huge pages (mmap(2), MAP_HUGETLB)
};

typedef uint32_t mooring_numa_policy_t;
enum {
  MOORING_NUMA_POLICY_DEFAULT = 0,  // the policy of the calling thread; numa_node is ignored
  MOORING_NUMA_POLICY_BIND = 1,  // all pages on numa_node, or the call fails (mbind(2), MPOL_BIND)
  MOORING_NUMA_POLICY_PREFER = 2,  // numa_node where it has room (mbind(2), MPOL_PREFERRED)
};

// Prefault.
typedef uint32_t mooring_touch_t;
enum {
  // Write every page during create, in parallel, so that first use and pinning take less time.
  MOORING_TOUCH_NOW = 0,
  // The kernel allocates each page at its first use.
  MOORING_TOUCH_NONE = 1
};

typedef struct mooring_slab_options_t {
  uint32_t struct_size;   // sizeof(mooring_slab_options_t)
  uint32_t flags;         // 0
  uint64_t buffer_bytes;  // bytes of one buffer, a multiple of 512; 0 = 1 MiB
  uint64_t buffer_count;  // 1 to 16,777,216; 0 = 64
  mooring_huge_pages_t huge_pages;
  // The kind that huge_pages may use. ANY tries HUGETLB, then TRANSPARENT.
  mooring_page_kind_t huge_page_kind;
  mooring_numa_policy_t numa_policy;
  uint32_t numa_node;  // read unless numa_policy is DEFAULT
  mooring_touch_t touch;
  uint32_t touch_thread_count;  // threads that prefault during create; 0 = by size and CPUs
  // Buffers that the slab may reach with mooring_slab_grow. The library reserves address space for
  // them, and no memory. 0 = the slab does not grow; else buffer_count to 16,777,216.
  uint64_t buffer_count_max;
} mooring_slab_options_t;

#define MOORING_SLAB_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_slab_options_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

// What the slab has, read from the kernel and not from the options.
typedef struct mooring_slab_info_t {
  uint32_t struct_size;
  uint32_t adopted;      // 1 when the memory is the caller's
  void* data;            // first byte
  uint64_t total_bytes;  // buffer_bytes * buffer_count
  uint64_t buffer_bytes;
  uint64_t buffer_count;           // now
  uint64_t page_bytes;             // bytes of one page of the slab: 4096, 2097152, ...
  uint64_t huge_page_total_bytes;  // bytes that are on huge pages now
  uint64_t touched_bytes;          // bytes resident now (mincore(2))
  mooring_page_kind_t page_kind;
  int32_t numa_node;      // node of the first page; -1 = unknown (not touched, or no NUMA)
  uint64_t leased_count;  // buffers in leases now, including those of held_count
  uint64_t held_count;    // buffers that the caller released and operations still use
  uint64_t kernel_reference_count;  // registrations and operations that keep the memory now
  char note[256];                   // why the pages are not those that AUTO prefers; "" if they are
  uint64_t buffer_count_max;        // buffers that it may grow to; buffer_count if it does not grow
} mooring_slab_info_t;

// mooring_slab_create maps, places and prefaults a new slab. NULL options mean default in every
// field.
//
// Thread: any.
// Blocks: while pages are prefaulted, about 0.2 s per GiB of base pages and thread.
// Owns:   lends `*out_slab` until mooring_slab_destroy.
// Errors: INVALID_ARGUMENT (sizes), EXHAUSTED (no memory; or REQUIRE and too few huge pages: the
//         remedy names the sysctl to set), NOT_FOUND (no such NUMA node), UNSUPPORTED (the options
//         ask for NUMA or huge pages, and the kernel is built without).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_create(
    const mooring_slab_options_t* options, mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_adopt makes a slab of memory that the caller owns.
//
// It reads two options: buffer_bytes (0 = the whole range is one buffer), and buffer_count (0 = as
// many buffers as fit; bytes after the last whole buffer are not used). The memory must be readable
// and writable. Where the kernel rejects pinning it (file-backed, device), it takes the copy path
// when it is registered, and the registration reports that.
//
// Thread: any.
// Owns:   keeps `data` until mooring_slab_close has succeeded; lends `*out_slab` until
//         mooring_slab_destroy.
// Units:  size_bytes is bytes.
// Errors: INVALID_ARGUMENT (NULL, zero, overflow, a buffer that does not fit, an option that only
//         create has).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_adopt(
    void* data, uint64_t size_bytes, const mooring_slab_options_t* options,
    mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_import makes a slab of the memory of a descriptor: a DMA-BUF of a GPU or another
// device, or a memfd. It does not copy: what is read into the slab is in that memory.
//
// `offset_bytes` is a multiple of the page size. `size_bytes` 0 means all bytes from there on. It
// reads buffer_bytes and buffer_count as mooring_slab_adopt does. Whether the kernel pins such
// memory depends on its exporter. Where it does not, the memory takes the copy path when it is
// registered, and the registration reports that. Do not shrink a memfd while the slab exists
// (SIGBUS, mmap(2)). Where the exporter requires it, the caller brackets its own accesses with
// DMA_BUF_IOCTL_SYNC.
//
// Thread: any.
// Owns:   borrows `fd`, which the caller may close afterwards; lends `*out_slab` until
//         mooring_slab_destroy. The memory is unmapped when the kernel has released it.
// Units:  offset_bytes and size_bytes are bytes.
// Errors: INVALID_ARGUMENT (no such descriptor; offset, size and buffers that do not fit; an option
//         that only create has), PERMISSION (not both readable and writable), UNSUPPORTED (a
//         descriptor without memory), EXHAUSTED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_import(
    int32_t fd, uint64_t offset_bytes, uint64_t size_bytes, const mooring_slab_options_t* options,
    mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_get_info fills `*out_info`. The caller has set its struct_size.
//
// Thread: any.
// Blocks: while it reads /proc/self/smaps, to find transparent huge pages. Do not call it on the
//         data path.
// Errors: INVALID_ARGUMENT (struct_size), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_get_info(
    const mooring_slab_t* slab, mooring_slab_info_t* out_info) MOORING_NOEXCEPT;

// mooring_slab_acquire leases `buffer_count` contiguous buffers, the lowest run that is free.
//
// Thread: any; lock-free, allocates nothing.
// Owns:   lends the run until mooring_slab_release.
// Errors: EXHAUSTED (no such run is free; retry LATER), INVALID_ARGUMENT (0 or more than the slab
//         has), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_acquire(
    mooring_slab_t* slab, uint32_t buffer_count, mooring_lease_t* out_lease) MOORING_NOEXCEPT;

// mooring_slab_release returns a lease to the slab. If operations in flight use it, its buffers
// become free when the last of them completes.
//
// Thread: any; allocates nothing. Lock-free while no ring waits for a buffer of the slab. A ring
//         waits when a multishot receive found no free buffer; the release that follows notifies
//         the N registrations that wait: it takes mutexes for a short time, and makes up to 2 * N
//         write(2) calls to eventfds with no mutex held. It never blocks on I/O.
// Owns:   takes the lease.
// Errors: INVALID_STATE (stale: released before, or never acquired), FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_release(
    mooring_slab_t* slab, mooring_lease_t lease) MOORING_NOEXCEPT;

// mooring_slab_data returns the first byte of `lease`, NULL if it is stale. With generation 0 it
// checks no lease, and returns the first byte of buffer first_index, NULL past the end.
//
// Thread: any.
// Owns:   lends the bytes until the lease is released; with generation 0, until the slab is
//         destroyed.
// Errors: none (NULL).
// Since:  0.1
MOORING_API void* mooring_slab_data(const mooring_slab_t* slab,
                                    mooring_lease_t lease) MOORING_NOEXCEPT;

// mooring_slab_grow adds `buffer_count` buffers at the end of the slab, all or none. The pages are
// of the slab's kind, placed and prefaulted as its options require. Existing buffers do not change,
// and operations on them continue.
//
// Every registration of the slab adds extents for the new bytes before the buffers can be leased.
// PREFER pins what fits and reports the rest. NEVER copies. Where REQUIRE cannot pin the new bytes,
// the slab does not grow. A PREFER registration on a ring whose owner is another thread is pinned
// in the owner's next call on the ring (MOORING_REASON_OWNER_THREAD until then).
//
// Each growth takes one or more slots of the fixed-buffer table of every ring that the slab is
// registered with, so grow seldom, by large amounts. A lease across a former end of the slab is in
// two extents: an operation on it takes the copy path unless its bytes are on one side. Reserved
// huge pages are taken from the pool when the slab grows. AUTO has chosen the kind of pages by
// buffer_count_max.
//
// Thread: any; concurrent calls run one after the other, and mooring_registration_create waits for
//         them.
// Blocks: while pages are mapped, prefaulted (as mooring_slab_create) and pinned (as
//         mooring_registration_create).
// Units:  buffer_count counts buffers.
// Errors: INVALID_ARGUMENT (0, or beyond buffer_count_max), UNSUPPORTED (an adopted or imported
//         slab), EXHAUSTED (no memory), INVALID_STATE (closed; or REQUIRE on a ring whose owner is
//         another thread), FORKED, and those of mooring_registration_create under REQUIRE. After an
//         error the slab is unchanged.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_grow(
    mooring_slab_t* slab, uint64_t buffer_count) MOORING_NOEXCEPT;

// mooring_slab_close waits until no registration and no operation uses the memory, then rejects
// further leases. After success, adopted memory belongs to the caller again, and the kernel does
// not write to it any more. Destroy the registrations first.
//
// Thread: one-at-a-time.
// Blocks: up to timeout_ns, until the kernel returns its pins: immediately from 6.4 on, up to a
//         second later before.
// Units:  timeout_ns is nanoseconds: 0 = do not wait, INT64_MAX = without a limit, never negative.
// Errors: TIMEOUT (with the number of users that are left; the slab stays usable),
//         INVALID_ARGUMENT, FORKED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_close(
    mooring_slab_t* slab, int64_t timeout_ns) MOORING_NOEXCEPT;

// mooring_slab_destroy destroys the slab without waiting. The memory stays mapped while operations,
// registrations or pins of the kernel use it. NULL is allowed.
//
// Thread: any; once, with no other call on `slab` running.
// Owns:   takes `slab`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_slab_destroy(mooring_slab_t* slab) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_SLAB_H_
