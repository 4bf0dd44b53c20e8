// facts.h: what this machine gives, found by trying and not by comparing versions.
#ifndef MOORING_FACTS_H_
#define MOORING_FACTS_H_

#include <stdint.h>

#include "mooring/error.h"
#include "mooring/export.h"
#include "mooring/ring.h"

MOORING_BEGIN_DECLS

// Features of the running kernel, as a ring made now would have them. (Versions: where mainline
// first had it.)
#define MOORING_FEATURE_FIXED_BUFFERS (UINT64_C(1) << 0)  // registered buffers, read_fixed (5.1)
#define MOORING_FEATURE_BUFFER_UPDATE (UINT64_C(1) << 1)  // slots can be replaced one by one (5.13)
#define MOORING_FEATURE_BUFFER_TAGS \
  (UINT64_C(1) << 2)  // the kernel tells when it let go of a slot (5.13)
#define MOORING_FEATURE_SPARSE_TABLE \
  (UINT64_C(1) << 3)  // a table may have empty slots (5.13; own flag 5.19)
#define MOORING_FEATURE_CLONE_BUFFERS (UINT64_C(1) << 4)  // rings can share a slab's pins (6.13)
#define MOORING_FEATURE_FIXED_FILES (UINT64_C(1) << 5)    // registered files with update (5.5)
#define MOORING_FEATURE_WAIT_TIMEOUT \
  (UINT64_C(1) << 6)  // waits take a timeout (IORING_ENTER_EXT_ARG, 5.11)
#define MOORING_FEATURE_SINGLE_ISSUER (UINT64_C(1) << 7)  // IORING_SETUP_SINGLE_ISSUER (6.0)
#define MOORING_FEATURE_DEFER_TASKRUN (UINT64_C(1) << 8)  // IORING_SETUP_DEFER_TASKRUN (6.1)
#define MOORING_FEATURE_SQPOLL (UINT64_C(1) << 9)         // IORING_SETUP_SQPOLL for this user
#define MOORING_FEATURE_SEND_ZERO_COPY \
  (UINT64_C(1) << 10)  // IORING_OP_SEND_ZC that tells when it copied (6.2)
#define MOORING_FEATURE_SUBMIT_ALL \
  (UINT64_C(1) << 11)  // a bad operation does not stop its batch (5.18)
#define MOORING_FEATURE_ACCEPT_MULTISHOT \
  (UINT64_C(1) << 12)  // the kernel repeats ACCEPT_MULTISHOT by itself (5.19)
#define MOORING_FEATURE_RECV_MULTISHOT \
  (UINT64_C(1) << 13)  // the kernel repeats RECV_MULTISHOT by itself (6.0)

typedef uint32_t mooring_transparent_huge_pages_t;
enum {
  MOORING_TRANSPARENT_HUGE_PAGES_UNKNOWN = 0,  // no such file in /sys: not built in
  MOORING_TRANSPARENT_HUGE_PAGES_NEVER = 1,
  MOORING_TRANSPARENT_HUGE_PAGES_MADVISE = 2,
  MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS = 3,
};

typedef struct mooring_facts_t {
  uint32_t struct_size;
  mooring_engine_t engine;                // what MOORING_ENGINE_AUTO takes
  mooring_engine_reason_t engine_reason;  // why it is not io_uring
  int32_t engine_system_error;
  uint64_t features;            // MOORING_FEATURE_*; 0 without io_uring
  uint64_t memlock_soft_bytes;  // RLIMIT_MEMLOCK; UINT64_MAX = unlimited
  uint64_t memlock_hard_bytes;
  uint64_t memlock_used_bytes;  // charged by the rings and extents of this process
  uint32_t memlock_exempt;      // 1 with CAP_IPC_LOCK in the initial user namespace
  uint32_t ring_charged;        // 1 when rings themselves count against memlock (6.14 to 7.0)
  uint64_t page_bytes;
  uint64_t transparent_huge_page_bytes;  // 0 = none
  uint64_t hugetlb_page_bytes;           // default size of reserved huge pages, 0 = none
  uint64_t hugetlb_pages_total;
  uint64_t hugetlb_pages_free;
  mooring_transparent_huge_pages_t transparent_huge_pages;
  uint32_t numa_node_count;  // 1 without NUMA
  uint32_t cpu_count;        // that this process may use
  uint32_t reserved;
  char kernel_release[72];   // uname(2)
  char engine_message[256];  // "" when the engine is io_uring
  char engine_remedy[512];
} mooring_facts_t;

// mooring_facts_get fills `*out_facts`, whose struct_size the caller has set. It makes and closes a
// small ring to look.
//
// Thread: any.
// Blocks: a few milliseconds; keep it off the data path.
// Errors: INVALID_ARGUMENT (struct_size).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_facts_get(mooring_facts_t* out_facts)
    MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_FACTS_H_
