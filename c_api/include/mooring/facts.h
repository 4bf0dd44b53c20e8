// facts.h: what this machine provides. The library tries each feature, because version numbers are
// not reliable: distributions backport.
#ifndef MOORING_FACTS_H_
#define MOORING_FACTS_H_

#include <stdint.h>

#include "mooring/error.h"
#include "mooring/export.h"
#include "mooring/ring.h"

MOORING_BEGIN_DECLS

typedef uint32_t mooring_transparent_huge_pages_t;
enum {
  MOORING_TRANSPARENT_HUGE_PAGES_UNKNOWN = 0,  // not built into the kernel: no such file in /sys
  MOORING_TRANSPARENT_HUGE_PAGES_NEVER = 1,
  MOORING_TRANSPARENT_HUGE_PAGES_MADVISE = 2,
  MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS = 3,
};

// Features of the running kernel, as a ring that is made now would have them. Each names the first
// mainline kernel that has it.

// Registered buffers, READ_FIXED (5.1).
#define MOORING_FEATURE_FIXED_BUFFERS (UINT64_C(1) << 0)
// Slots can be replaced one by one (5.13).
#define MOORING_FEATURE_BUFFER_UPDATE (UINT64_C(1) << 1)
// The kernel reports when it has released a slot (5.13).
#define MOORING_FEATURE_BUFFER_TAGS (UINT64_C(1) << 2)
// A table may have empty slots (5.13; with a flag of its own since 5.19).
#define MOORING_FEATURE_SPARSE_TABLE (UINT64_C(1) << 3)
// Rings can share the pins of a slab (6.13).
#define MOORING_FEATURE_CLONE_BUFFERS (UINT64_C(1) << 4)
// Registered files that can be updated (5.5).
#define MOORING_FEATURE_FIXED_FILES (UINT64_C(1) << 5)
// Waits take a timeout (IORING_ENTER_EXT_ARG, 5.11).
#define MOORING_FEATURE_WAIT_TIMEOUT (UINT64_C(1) << 6)
// IORING_SETUP_SINGLE_ISSUER (6.0).
#define MOORING_FEATURE_SINGLE_ISSUER (UINT64_C(1) << 7)
// IORING_SETUP_DEFER_TASKRUN (6.1).
#define MOORING_FEATURE_DEFER_TASKRUN (UINT64_C(1) << 8)
// IORING_SETUP_SQPOLL is permitted to this user.
#define MOORING_FEATURE_SQPOLL (UINT64_C(1) << 9)
// IORING_OP_SEND_ZC that reports whether it copied (6.2).
#define MOORING_FEATURE_SEND_ZERO_COPY (UINT64_C(1) << 10)
// A bad operation does not stop its batch (5.18).
#define MOORING_FEATURE_SUBMIT_ALL (UINT64_C(1) << 11)
// The kernel has multishot accept (5.19).
#define MOORING_FEATURE_ACCEPT_MULTISHOT (UINT64_C(1) << 12)
// The kernel has multishot receive (6.0).
#define MOORING_FEATURE_RECV_MULTISHOT (UINT64_C(1) << 13)

typedef struct mooring_facts_t {
  uint32_t struct_size;
  mooring_engine_t engine;                // the engine that MOORING_ENGINE_AUTO takes
  mooring_engine_reason_t engine_reason;  // why it is not io_uring
  int32_t engine_system_error;            // errno of engine_reason, 0 if there is none
  uint64_t features;                      // MOORING_FEATURE_*; 0 without io_uring
  uint64_t memlock_soft_bytes;            // RLIMIT_MEMLOCK (getrlimit(2)); UINT64_MAX = unlimited
  uint64_t memlock_hard_bytes;
  uint64_t memlock_used_bytes;  // charged for the rings and extents of this process
  uint32_t memlock_exempt;      // 1 with CAP_IPC_LOCK in the initial user namespace
  uint32_t ring_charged;        // 1 when rings themselves are charged to memlock (6.14 to 7.0)
  uint64_t page_bytes;          // of a base page
  uint64_t transparent_huge_page_bytes;  // 0 = none
  uint64_t hugetlb_page_bytes;           // default size of reserved huge pages, 0 = none
  uint64_t hugetlb_pages_total;
  uint64_t hugetlb_pages_free;
  mooring_transparent_huge_pages_t transparent_huge_pages;
  uint32_t numa_node_count;  // 1 without NUMA
  uint32_t cpu_count;        // CPUs that this process may use (sched_getaffinity(2))
  uint32_t reserved;
  char kernel_release[72];   // uname(2)
  char engine_message[256];  // why the engine is not io_uring; "" if it is
  char engine_remedy[512];   // how to get io_uring; "" if there is nothing to do
} mooring_facts_t;

// mooring_facts_get fills `*out_facts`. The caller has set its struct_size. To find the features,
// it makes and closes a small ring.
//
// Thread: any.
// Blocks: for a few milliseconds. Do not call it on the data path.
// Errors: INVALID_ARGUMENT (struct_size).
// Since:  0.1
MOORING_API MOORING_NODISCARD mooring_error_t* mooring_facts_get(mooring_facts_t* out_facts)
    MOORING_NOEXCEPT;

MOORING_END_DECLS

#endif  // MOORING_FACTS_H_
