#include "tools/moor/names.h"

namespace moor {

const char* EngineName(mooring_engine_t engine) {
  switch (engine) {
    case MOORING_ENGINE_AUTO:
      return "auto";
    case MOORING_ENGINE_IO_URING:
      return "io_uring";
    case MOORING_ENGINE_THREADS:
      return "threads";
    default:
      return "unknown";
  }
}

const char* EngineReasonName(mooring_engine_reason_t reason) {
  switch (reason) {
    case MOORING_ENGINE_REASON_NONE:
      return "none";
    case MOORING_ENGINE_REASON_POLICY:
      return "policy";
    case MOORING_ENGINE_REASON_MEMLOCK_LIMIT:
      return "memlock_limit";
    case MOORING_ENGINE_REASON_IO_URING_DENIED:
      return "io_uring_denied";
    case MOORING_ENGINE_REASON_IO_URING_DISABLED:
      return "io_uring_disabled";
    case MOORING_ENGINE_REASON_IO_URING_MISSING:
      return "io_uring_missing";
    default:
      return "unknown";
  }
}

const char* PolicyName(mooring_policy_t policy) {
  switch (policy) {
    case MOORING_POLICY_PREFER:
      return "prefer";
    case MOORING_POLICY_REQUIRE:
      return "require";
    case MOORING_POLICY_NEVER:
      return "never";
    default:
      return "unknown";
  }
}

const char* OutcomeName(mooring_outcome_t outcome) {
  switch (outcome) {
    case MOORING_OUTCOME_FIXED:
      return "fixed";
    case MOORING_OUTCOME_PARTIAL:
      return "partial";
    case MOORING_OUTCOME_COPY:
      return "copy";
    default:
      return "unknown";
  }
}

const char* ReasonName(mooring_reason_t reason) {
  switch (reason) {
    case MOORING_REASON_NONE:
      return "none";
    case MOORING_REASON_POLICY:
      return "policy";
    case MOORING_REASON_MEMLOCK_LIMIT:
      return "memlock_limit";
    case MOORING_REASON_OUT_OF_MEMORY:
      return "out_of_memory";
    case MOORING_REASON_BACKING_REFUSED:
      return "backing_refused";
    case MOORING_REASON_TABLE_FULL:
      return "table_full";
    case MOORING_REASON_KERNEL_TOO_OLD:
      return "kernel_too_old";
    case MOORING_REASON_REGISTER_DENIED:
      return "register_denied";
    case MOORING_REASON_ENGINE_THREADS:
      return "engine_threads";
    case MOORING_REASON_OWNER_THREAD:
      return "owner_thread";
    default:
      return "unknown";
  }
}

const char* PageKindName(mooring_page_kind_t kind) {
  switch (kind) {
    case MOORING_PAGE_KIND_ANY:
      return "any";
    case MOORING_PAGE_KIND_ORDINARY:
      return "ordinary";
    case MOORING_PAGE_KIND_TRANSPARENT:
      return "transparent";
    case MOORING_PAGE_KIND_HUGETLB:
      return "hugetlb";
    default:
      return "unknown";
  }
}

const char* TransparentHugePagesName(mooring_transparent_huge_pages_t value) {
  switch (value) {
    case MOORING_TRANSPARENT_HUGE_PAGES_NEVER:
      return "never";
    case MOORING_TRANSPARENT_HUGE_PAGES_MADVISE:
      return "madvise";
    case MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS:
      return "always";
    default:
      return "unknown";
  }
}

}  // namespace moor
