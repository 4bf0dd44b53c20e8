// slab.h: memory that Mooring owns, sized and placed, handed out as leases.
//
// A slab is one contiguous, page-aligned range split into equal buffers. It knows nothing of rings:
// registration.h makes it nameable by one. A lease is a contiguous run of its buffers. Acquire and
// release are lock-free, take any thread, and allocate nothing.
//
// Releasing a lease while operations use it is legal: its buffers go back to the slab when the last
// of those operations completes. A lease used after its release is refused (INVALID_STATE), never
// corruption: every lease carries a generation, and generation 0 is never handed out.
//
// Destroying a slab does not wait. The pages are unmapped once no operation and no registration of
// it is left and the kernel has let go of its pins. For memory that the caller adopted,
// mooring_slab_close tells when it may be reused.
//
// A slab that was created with a buffer_count_max can grow, while it is in use: its base never
// moves, and what is registered, leased or in flight stays as it is.
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

// A contiguous run of buffers of one slab. All zero is no lease.
typedef struct mooring_lease_t {
  uint32_t first_index;   // of the run, counted in buffers from 0
  uint32_t buffer_count;  // of the run
  uint32_t generation;    // of this use of the run; never 0 in a lease that was acquired
  uint32_t reserved;      // 0
} mooring_lease_t;

typedef uint32_t mooring_huge_pages_t;
enum {
  MOORING_HUGE_PAGES_AUTO = 0,     // where the size and the memlock limit make them help
  MOORING_HUGE_PAGES_NEVER = 1,    // ordinary pages only
  MOORING_HUGE_PAGES_REQUIRE = 2,  // fail if any byte is not on a huge page
};

typedef uint32_t mooring_page_kind_t;
enum {
  MOORING_PAGE_KIND_ANY = 0,          // in options: either kind of huge page
  MOORING_PAGE_KIND_ORDINARY = 1,     // in info only
  MOORING_PAGE_KIND_TRANSPARENT = 2,  // transparent huge pages (madvise(2), MADV_HUGEPAGE)
  MOORING_PAGE_KIND_HUGETLB = 3,      // reserved huge pages (mmap(2), MAP_HUGETLB)
};

typedef uint32_t mooring_numa_policy_t;
enum {
  MOORING_NUMA_POLICY_DEFAULT = 0,  // the policy of the calling thread; numa_node is ignored
  MOORING_NUMA_POLICY_BIND = 1,  // all pages on numa_node, or the call fails (mbind(2), MPOL_BIND)
  MOORING_NUMA_POLICY_PREFER = 2,  // numa_node where it has room (mbind(2), MPOL_PREFERRED)
};

typedef uint32_t mooring_touch_t;
enum {
  MOORING_TOUCH_NOW =
      0,  // write every page during create, in parallel, so that first use and pinning are cheap
  MOORING_TOUCH_NONE = 1  // leave pages to their first use
};

typedef struct mooring_slab_options_t {
  uint32_t struct_size;   // sizeof(mooring_slab_options_t)
  uint32_t flags;         // 0
  uint64_t buffer_bytes;  // bytes of one buffer, a multiple of 512; 0 = 1 MiB
  uint64_t buffer_count;  // 1 to 16,777,216; 0 = 64
  mooring_huge_pages_t huge_pages;
  mooring_page_kind_t
      huge_page_kind;  // which kind huge_pages may use; ANY tries HUGETLB, then TRANSPARENT
  mooring_numa_policy_t numa_policy;
  uint32_t numa_node;  // read unless numa_policy is DEFAULT
  mooring_touch_t touch;
  uint32_t touch_thread_count;  // threads that touch pages during create; 0 = by size and CPUs
  // Buffers that mooring_slab_grow may bring the slab to: address space is reserved for them, no
  // memory. 0 = it never grows; else buffer_count to 16,777,216.
  uint64_t buffer_count_max;
} mooring_slab_options_t;

#define MOORING_SLAB_OPTIONS_INIT \
  { (uint32_t)sizeof(mooring_slab_options_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

// What was really obtained, read back from the kernel and not from the request.
typedef struct mooring_slab_info_t {
  uint32_t struct_size;
  uint32_t adopted;      // 1 when the memory is the caller's
  void* data;            // first byte
  uint64_t total_bytes;  // buffer_bytes * buffer_count
  uint64_t buffer_bytes;
  uint64_t buffer_count;           // now
  uint64_t page_bytes;             // of the pages obtained: 4096, 2097152, ...
  uint64_t huge_page_total_bytes;  // bytes that are on huge pages now
  uint64_t touched_bytes;          // bytes resident now (mincore(2))
  mooring_page_kind_t page_kind;
  int32_t numa_node;                // node of the first page, -1 unknown (not touched, or no NUMA)
  uint64_t leased_count;            // buffers out on lease now, those below included
  uint64_t held_count;              // buffers released by the caller but still used by operations
  uint64_t kernel_reference_count;  // registrations and operations that keep the memory now
  char note[256];             // why pages differ from what AUTO would have liked; "" if they do not
  uint64_t buffer_count_max;  // that it may grow to; buffer_count where it cannot
} mooring_slab_info_t;

// mooring_slab_create maps, places and touches a new slab. NULL options are all default.
//
// Thread: any.
// Blocks: while pages are touched, about 0.2 s per GiB of ordinary pages and thread.
// Owns:   lends `*out_slab` until mooring_slab_destroy.
// Errors: INVALID_ARGUMENT (sizes), EXHAUSTED (no memory; or huge pages REQUIREd and not to be had,
// with the sysctl to
//         set), NOT_FOUND (no such NUMA node), UNSUPPORTED (kernel without NUMA or huge pages asked
//         for).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_create(
    const mooring_slab_options_t* options, mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_adopt makes a slab of memory that the caller owns. Of `options`, buffer_bytes is
// read (0 = the whole range as one buffer) and buffer_count is either 0 (as many as fit; a tail
// that is no whole buffer is left out) or fits. Any readable and writable memory will do; memory
// that the kernel refuses to pin (file-backed, device) takes the copy path when registered, and the
// registration says so.
//
// Thread: any.
// Owns:   keeps `data` until mooring_slab_close has succeeded; lends `*out_slab` until
// mooring_slab_destroy. Units:  size_bytes is bytes. Errors: INVALID_ARGUMENT (NULL, zero,
// overflow, a buffer that does not fit, an option that only create can honour). Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_adopt(
    void* data, uint64_t size_bytes, const mooring_slab_options_t* options,
    mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_import makes a slab of the memory that a descriptor stands for: a DMA-BUF of a GPU
// or another device, or a memfd. Not a copy: what is read into the slab is in that memory.
// `offset_bytes` is a multiple of the page size; `size_bytes` 0 is all from there on. Of `options`,
// buffer_bytes and buffer_count are read as by mooring_slab_adopt. Whether the kernel pins such
// memory is up to its exporter; what it refuses takes the copy path when registered, and the
// registration says so. A memfd must not be made shorter while the slab is there (SIGBUS, mmap(2)).
// Where the exporter asks for it, the caller brackets his own accesses with DMA_BUF_IOCTL_SYNC.
//
// Thread: any.
// Owns:   borrows `fd`, which may be closed afterwards; the slab unmaps the memory when the kernel
// has let go of it. Units:  offset_bytes and size_bytes are bytes. Errors: INVALID_ARGUMENT (no
// such descriptor, or offset, size and buffers that do not fit; an option that only create
//         can honour), PERMISSION (not both readable and writable), UNSUPPORTED (stands for no
//         memory), EXHAUSTED.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_import(
    int32_t fd, uint64_t offset_bytes, uint64_t size_bytes, const mooring_slab_options_t* options,
    mooring_slab_t** out_slab) MOORING_NOEXCEPT;

// mooring_slab_get_info fills `*out_info`, whose struct_size the caller has set.
//
// Thread: any.
// Blocks: reads /proc/self/smaps to tell transparent huge pages; keep it off the data path.
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

// mooring_slab_data returns the first byte of `lease`, NULL if it is stale. With generation 0 no
// lease is checked: it returns the first byte of buffer first_index, NULL past the end.
//
// Thread: any.
// Owns:   lends the bytes as long as the lease, or with generation 0 as long as the slab.
// Errors: none (NULL).
// Since:  0.1
MOORING_API void* mooring_slab_data(const mooring_slab_t* slab,
                                    mooring_lease_t lease) MOORING_NOEXCEPT;

// mooring_slab_grow adds `buffer_count` buffers at the end of the slab, all or none, in pages of
// the slab's kind, placed and touched as its options say. Every registration of the slab takes the
// new bytes as further extents before any lease can be of them: PREFER pins what fits and reports
// the rest, NEVER copies, and where REQUIRE cannot pin them the slab does not grow. What is there
// already stays as it is; operations in flight are neither disturbed nor waited for.
//
// Each growth takes a slot, or more, of the fixed-buffer table of every ring that the slab is
// registered with: grow by much, seldom. A lease that lies on both sides of a former end of the
// slab is in no single extent: its operations take the copy path unless they stay on one side. A
// PREFER registration with a ring whose owner is another thread is pinned by the owner's next call
// on the ring (MOORING_REASON_OWNER_THREAD until then). The slab keeps its kind of pages: reserved
// huge pages are taken from the pool when it grows, and AUTO chooses by buffer_count_max.
//
// Thread: any; concurrent calls succeed in turn, and mooring_registration_create waits for them.
// Blocks: while pages are mapped, touched (as mooring_slab_create) and pinned (as
// mooring_registration_create). Units:  buffer_count counts buffers. Errors: INVALID_ARGUMENT (0,
// or beyond buffer_count_max), UNSUPPORTED (an adopted or imported slab), EXHAUSTED (no
//         memory), INVALID_STATE (closed; or REQUIRE with a ring whose owner is another thread),
//         FORKED, and those of mooring_registration_create under REQUIRE. The slab is then as it
//         was.
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_grow(
    mooring_slab_t* slab, uint64_t buffer_count) MOORING_NOEXCEPT;

// mooring_slab_close waits until no registration and no operation keeps the memory, then refuses
// further leases. After success, adopted memory is the caller's again and no kernel write to it can
// follow. Destroy the registrations first.
//
// Thread: one-at-a-time.
// Blocks: up to timeout_ns, for the kernel to return its pins (at once from 6.4 on; a second late
// up to 6.3). Units:  timeout_ns is nanoseconds, 0 = only look, never negative. Errors: TIMEOUT
// (says what still keeps it; the slab stays usable), INVALID_ARGUMENT, FORKED. Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_slab_close(
    mooring_slab_t* slab, int64_t timeout_ns) MOORING_NOEXCEPT;

// mooring_slab_destroy gives the slab back and does not wait: see the head of this file. NULL is
// allowed.
//
// Thread: any; once, with no other call on `slab` running.
// Owns:   takes `slab`.
// Errors: none.
// Since:  0.1
MOORING_API void mooring_slab_destroy(mooring_slab_t* slab) MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_SLAB_H_
