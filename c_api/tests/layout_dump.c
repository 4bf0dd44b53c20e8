// Prints the size of every struct, the offset and size of every field, and the value of every
// constant of the C interface, for layout_test.sh to compare with abi/layout.txt.
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "mooring/mooring.h"

#define STRUCT(type) printf(#type " size %zu align %zu\n", sizeof(type), _Alignof(type))
#define FIELD(type, field)                                                 \
  printf(#type "." #field " offset %zu size %zu\n", offsetof(type, field), \
         sizeof(((type*)0)->field))
#define VALUE(name) printf(#name " %" PRIu64 "\n", (uint64_t)(name))

static void PrintOp(void) {
  STRUCT(mooring_op_t);
  FIELD(mooring_op_t, opcode);
  FIELD(mooring_op_t, flags);
  FIELD(mooring_op_t, fd);
  FIELD(mooring_op_t, file_offset);
  FIELD(mooring_op_t, registration);
  FIELD(mooring_op_t, lease_first_index);
  FIELD(mooring_op_t, lease_generation);
  FIELD(mooring_op_t, offset);
  FIELD(mooring_op_t, size);
  FIELD(mooring_op_t, user_data);
  FIELD(mooring_op_t, parameter);
}

static void PrintSegment(void) {
  STRUCT(mooring_segment_t);
  FIELD(mooring_segment_t, lease_first_index);
  FIELD(mooring_segment_t, lease_generation);
  FIELD(mooring_segment_t, offset);
  FIELD(mooring_segment_t, size);
}

static void PrintCompletion(void) {
  STRUCT(mooring_completion_t);
  FIELD(mooring_completion_t, user_data);
  FIELD(mooring_completion_t, result);
  FIELD(mooring_completion_t, flags);
  FIELD(mooring_completion_t, path);
  FIELD(mooring_completion_t, lease_first_index);
  FIELD(mooring_completion_t, lease_generation);
}

static void PrintLease(void) {
  STRUCT(mooring_lease_t);
  FIELD(mooring_lease_t, first_index);
  FIELD(mooring_lease_t, buffer_count);
  FIELD(mooring_lease_t, generation);
  FIELD(mooring_lease_t, reserved);
}

static void PrintSlabOptions(void) {
  STRUCT(mooring_slab_options_t);
  FIELD(mooring_slab_options_t, struct_size);
  FIELD(mooring_slab_options_t, flags);
  FIELD(mooring_slab_options_t, buffer_bytes);
  FIELD(mooring_slab_options_t, buffer_count);
  FIELD(mooring_slab_options_t, huge_pages);
  FIELD(mooring_slab_options_t, huge_page_kind);
  FIELD(mooring_slab_options_t, numa_policy);
  FIELD(mooring_slab_options_t, numa_node);
  FIELD(mooring_slab_options_t, touch);
  FIELD(mooring_slab_options_t, touch_thread_count);
  FIELD(mooring_slab_options_t, buffer_count_max);
}

static void PrintSlabInfo(void) {
  STRUCT(mooring_slab_info_t);
  FIELD(mooring_slab_info_t, struct_size);
  FIELD(mooring_slab_info_t, adopted);
  FIELD(mooring_slab_info_t, data);
  FIELD(mooring_slab_info_t, total_bytes);
  FIELD(mooring_slab_info_t, buffer_bytes);
  FIELD(mooring_slab_info_t, buffer_count);
  FIELD(mooring_slab_info_t, page_bytes);
  FIELD(mooring_slab_info_t, huge_page_total_bytes);
  FIELD(mooring_slab_info_t, touched_bytes);
  FIELD(mooring_slab_info_t, page_kind);
  FIELD(mooring_slab_info_t, numa_node);
  FIELD(mooring_slab_info_t, leased_count);
  FIELD(mooring_slab_info_t, held_count);
  FIELD(mooring_slab_info_t, kernel_reference_count);
  FIELD(mooring_slab_info_t, note);
  FIELD(mooring_slab_info_t, buffer_count_max);
}

static void PrintRingOptions(void) {
  STRUCT(mooring_ring_options_t);
  FIELD(mooring_ring_options_t, struct_size);
  FIELD(mooring_ring_options_t, flags);
  FIELD(mooring_ring_options_t, engine);
  FIELD(mooring_ring_options_t, submission_count);
  FIELD(mooring_ring_options_t, completion_count);
  FIELD(mooring_ring_options_t, in_flight_max);
  FIELD(mooring_ring_options_t, fixed_buffer_count);
  FIELD(mooring_ring_options_t, fixed_file_count);
  FIELD(mooring_ring_options_t, worker_count);
  FIELD(mooring_ring_options_t, sqpoll_idle_ms);
}

static void PrintRingInfo(void) {
  STRUCT(mooring_ring_info_t);
  FIELD(mooring_ring_info_t, struct_size);
  FIELD(mooring_ring_info_t, flags);
  FIELD(mooring_ring_info_t, engine);
  FIELD(mooring_ring_info_t, engine_reason);
  FIELD(mooring_ring_info_t, system_error);
  FIELD(mooring_ring_info_t, submission_count);
  FIELD(mooring_ring_info_t, completion_count);
  FIELD(mooring_ring_info_t, in_flight_max);
  FIELD(mooring_ring_info_t, fixed_buffer_count);
  FIELD(mooring_ring_info_t, fixed_file_count);
  FIELD(mooring_ring_info_t, worker_count);
  FIELD(mooring_ring_info_t, setup_flags);
  FIELD(mooring_ring_info_t, features);
  FIELD(mooring_ring_info_t, memlock_bytes);
  FIELD(mooring_ring_info_t, message);
  FIELD(mooring_ring_info_t, remedy);
}

static void PrintRingStats(void) {
  STRUCT(mooring_ring_stats_t);
  FIELD(mooring_ring_stats_t, struct_size);
  FIELD(mooring_ring_stats_t, reserved);
  FIELD(mooring_ring_stats_t, submitted);
  FIELD(mooring_ring_stats_t, completed);
  FIELD(mooring_ring_stats_t, failed);
  FIELD(mooring_ring_stats_t, cancelled);
  FIELD(mooring_ring_stats_t, read);
  FIELD(mooring_ring_stats_t, read_fixed);
  FIELD(mooring_ring_stats_t, write);
  FIELD(mooring_ring_stats_t, write_fixed);
  FIELD(mooring_ring_stats_t, read_bytes);
  FIELD(mooring_ring_stats_t, write_bytes);
  FIELD(mooring_ring_stats_t, short_count);
  FIELD(mooring_ring_stats_t, in_flight);
  FIELD(mooring_ring_stats_t, system_calls);
  FIELD(mooring_ring_stats_t, overflow_count);
  FIELD(mooring_ring_stats_t, send);
  FIELD(mooring_ring_stats_t, recv);
  FIELD(mooring_ring_stats_t, send_bytes);
  FIELD(mooring_ring_stats_t, recv_bytes);
  FIELD(mooring_ring_stats_t, send_zero_copy);
  FIELD(mooring_ring_stats_t, send_copied);
  FIELD(mooring_ring_stats_t, multishot_completed);
  FIELD(mooring_ring_stats_t, multishot_requests);
}

static void PrintRegistrationOptions(void) {
  STRUCT(mooring_registration_options_t);
  FIELD(mooring_registration_options_t, struct_size);
  FIELD(mooring_registration_options_t, flags);
  FIELD(mooring_registration_options_t, policy);
  FIELD(mooring_registration_options_t, provided_buffer_count);
  FIELD(mooring_registration_options_t, extent_bytes_max);
}

static void PrintRegistrationInfo(void) {
  STRUCT(mooring_registration_info_t);
  FIELD(mooring_registration_info_t, struct_size);
  FIELD(mooring_registration_info_t, policy);
  FIELD(mooring_registration_info_t, outcome);
  FIELD(mooring_registration_info_t, reason);
  FIELD(mooring_registration_info_t, system_error);
  FIELD(mooring_registration_info_t, extent_count);
  FIELD(mooring_registration_info_t, bytes_requested);
  FIELD(mooring_registration_info_t, bytes_fixed);
  FIELD(mooring_registration_info_t, memlock_soft_bytes);
  FIELD(mooring_registration_info_t, memlock_hard_bytes);
  FIELD(mooring_registration_info_t, memlock_used_bytes);
  FIELD(mooring_registration_info_t, memlock_exempt);
  FIELD(mooring_registration_info_t, provided_buffer_count);
  FIELD(mooring_registration_info_t, message);
  FIELD(mooring_registration_info_t, remedy);
  FIELD(mooring_registration_info_t, bytes_cloned);
  FIELD(mooring_registration_info_t, provided_system_error);
  FIELD(mooring_registration_info_t, reserved);
}

static void PrintExtentInfo(void) {
  STRUCT(mooring_extent_info_t);
  FIELD(mooring_extent_info_t, struct_size);
  FIELD(mooring_extent_info_t, outcome);
  FIELD(mooring_extent_info_t, reason);
  FIELD(mooring_extent_info_t, system_error);
  FIELD(mooring_extent_info_t, offset);
  FIELD(mooring_extent_info_t, size);
  FIELD(mooring_extent_info_t, bytes_fixed);
  FIELD(mooring_extent_info_t, source);
  FIELD(mooring_extent_info_t, reserved);
}

static void PrintFacts(void) {
  STRUCT(mooring_facts_t);
  FIELD(mooring_facts_t, struct_size);
  FIELD(mooring_facts_t, engine);
  FIELD(mooring_facts_t, engine_reason);
  FIELD(mooring_facts_t, engine_system_error);
  FIELD(mooring_facts_t, features);
  FIELD(mooring_facts_t, memlock_soft_bytes);
  FIELD(mooring_facts_t, memlock_hard_bytes);
  FIELD(mooring_facts_t, memlock_used_bytes);
  FIELD(mooring_facts_t, memlock_exempt);
  FIELD(mooring_facts_t, ring_charged);
  FIELD(mooring_facts_t, page_bytes);
  FIELD(mooring_facts_t, transparent_huge_page_bytes);
  FIELD(mooring_facts_t, hugetlb_page_bytes);
  FIELD(mooring_facts_t, hugetlb_pages_total);
  FIELD(mooring_facts_t, hugetlb_pages_free);
  FIELD(mooring_facts_t, transparent_huge_pages);
  FIELD(mooring_facts_t, numa_node_count);
  FIELD(mooring_facts_t, cpu_count);
  FIELD(mooring_facts_t, reserved);
  FIELD(mooring_facts_t, kernel_release);
  FIELD(mooring_facts_t, engine_message);
  FIELD(mooring_facts_t, engine_remedy);
}

static void PrintValues1(void) {
  VALUE(MOORING_CODE_OK);
  VALUE(MOORING_CODE_INVALID_ARGUMENT);
  VALUE(MOORING_CODE_INVALID_STATE);
  VALUE(MOORING_CODE_NOT_FOUND);
  VALUE(MOORING_CODE_PERMISSION);
  VALUE(MOORING_CODE_UNSUPPORTED);
  VALUE(MOORING_CODE_EXHAUSTED);
  VALUE(MOORING_CODE_MEMLOCK_LIMIT);
  VALUE(MOORING_CODE_CANCELLED);
  VALUE(MOORING_CODE_TIMEOUT);
  VALUE(MOORING_CODE_IO);
  VALUE(MOORING_CODE_DATA_SHORT);
  VALUE(MOORING_CODE_DEVICE);
  VALUE(MOORING_CODE_FORKED);
  VALUE(MOORING_CODE_INTERNAL);
  VALUE(MOORING_RETRY_NEVER);
  VALUE(MOORING_RETRY_LATER);
  VALUE(MOORING_RETRY_AFTER_REMEDY);
  VALUE(MOORING_OPCODE_NOP);
  VALUE(MOORING_OPCODE_READ);
  VALUE(MOORING_OPCODE_WRITE);
  VALUE(MOORING_OPCODE_FSYNC);
  VALUE(MOORING_OPCODE_FALLOCATE);
  VALUE(MOORING_OPCODE_OPENAT);
  VALUE(MOORING_OPCODE_CLOSE);
  VALUE(MOORING_OPCODE_STATX);
  VALUE(MOORING_OPCODE_TIMEOUT);
  VALUE(MOORING_OPCODE_CANCEL);
  VALUE(MOORING_OPCODE_SEND);
  VALUE(MOORING_OPCODE_RECV);
  VALUE(MOORING_OPCODE_ACCEPT);
  VALUE(MOORING_OPCODE_CONNECT);
  VALUE(MOORING_OPCODE_SHUTDOWN);
  VALUE(MOORING_OPCODE_POLL);
  VALUE(MOORING_OPCODE_SENDMSG);
  VALUE(MOORING_OPCODE_RECVMSG);
  VALUE(MOORING_OPCODE_ACCEPT_MULTISHOT);
  VALUE(MOORING_OPCODE_RECV_MULTISHOT);
  VALUE(MOORING_SEGMENT_COUNT_MAX);
  VALUE(MOORING_SEND_AUTO);
  VALUE(MOORING_SEND_ZERO_COPY);
  VALUE(MOORING_SEND_COPY);
  VALUE(MOORING_OPERATION_LINK);
  VALUE(MOORING_OPERATION_DRAIN);
  VALUE(MOORING_OPERATION_FIXED_FILE);
  VALUE(MOORING_PATH_NONE);
  VALUE(MOORING_PATH_FIXED);
  VALUE(MOORING_PATH_COPY);
  VALUE(MOORING_COMPLETION_END_OF_FILE);
  VALUE(MOORING_COMPLETION_SHORT);
  VALUE(MOORING_COMPLETION_MORE);
  VALUE(MOORING_OPERATION_BYTES_MAX);
  VALUE(MOORING_FILE_OFFSET_CURRENT);
  VALUE(MOORING_FSYNC_DATA_ONLY);
  VALUE(MOORING_HUGE_PAGES_AUTO);
  VALUE(MOORING_HUGE_PAGES_NEVER);
  VALUE(MOORING_HUGE_PAGES_REQUIRE);
  VALUE(MOORING_PAGE_KIND_ANY);
  VALUE(MOORING_PAGE_KIND_ORDINARY);
  VALUE(MOORING_PAGE_KIND_TRANSPARENT);
  VALUE(MOORING_PAGE_KIND_HUGETLB);
  VALUE(MOORING_NUMA_POLICY_DEFAULT);
  VALUE(MOORING_NUMA_POLICY_BIND);
  VALUE(MOORING_NUMA_POLICY_PREFER);
  VALUE(MOORING_TOUCH_NOW);
}

static void PrintValues2(void) {
  VALUE(MOORING_TOUCH_NONE);
  VALUE(MOORING_ENGINE_AUTO);
  VALUE(MOORING_ENGINE_IO_URING);
  VALUE(MOORING_ENGINE_THREADS);
  VALUE(MOORING_ENGINE_REASON_NONE);
  VALUE(MOORING_ENGINE_REASON_POLICY);
  VALUE(MOORING_ENGINE_REASON_MEMLOCK_LIMIT);
  VALUE(MOORING_ENGINE_REASON_IO_URING_DENIED);
  VALUE(MOORING_ENGINE_REASON_IO_URING_DISABLED);
  VALUE(MOORING_ENGINE_REASON_IO_URING_MISSING);
  VALUE(MOORING_RING_OWNER_THREAD);
  VALUE(MOORING_RING_SQPOLL);
  VALUE(MOORING_RING_RAISE_MEMLOCK);
  VALUE(MOORING_POLICY_PREFER);
  VALUE(MOORING_POLICY_REQUIRE);
  VALUE(MOORING_POLICY_NEVER);
  VALUE(MOORING_OUTCOME_FIXED);
  VALUE(MOORING_OUTCOME_PARTIAL);
  VALUE(MOORING_OUTCOME_COPY);
  VALUE(MOORING_REASON_NONE);
  VALUE(MOORING_REASON_POLICY);
  VALUE(MOORING_REASON_MEMLOCK_LIMIT);
  VALUE(MOORING_REASON_OUT_OF_MEMORY);
  VALUE(MOORING_REASON_BACKING_REFUSED);
  VALUE(MOORING_REASON_TABLE_FULL);
  VALUE(MOORING_REASON_KERNEL_TOO_OLD);
  VALUE(MOORING_REASON_REGISTER_DENIED);
  VALUE(MOORING_REASON_ENGINE_THREADS);
  VALUE(MOORING_REASON_OWNER_THREAD);
  VALUE(MOORING_SOURCE_NONE);
  VALUE(MOORING_SOURCE_PINNED);
  VALUE(MOORING_SOURCE_CLONED);
  VALUE(MOORING_REGISTRATION_RAISE_MEMLOCK);
  VALUE(MOORING_TRANSPARENT_HUGE_PAGES_UNKNOWN);
  VALUE(MOORING_TRANSPARENT_HUGE_PAGES_NEVER);
  VALUE(MOORING_TRANSPARENT_HUGE_PAGES_MADVISE);
  VALUE(MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS);
  VALUE(MOORING_FEATURE_FIXED_BUFFERS);
  VALUE(MOORING_FEATURE_BUFFER_UPDATE);
  VALUE(MOORING_FEATURE_BUFFER_TAGS);
  VALUE(MOORING_FEATURE_SPARSE_TABLE);
  VALUE(MOORING_FEATURE_CLONE_BUFFERS);
  VALUE(MOORING_FEATURE_FIXED_FILES);
  VALUE(MOORING_FEATURE_WAIT_TIMEOUT);
  VALUE(MOORING_FEATURE_SINGLE_ISSUER);
  VALUE(MOORING_FEATURE_DEFER_TASKRUN);
  VALUE(MOORING_FEATURE_SQPOLL);
  VALUE(MOORING_FEATURE_SEND_ZERO_COPY);
  VALUE(MOORING_FEATURE_SUBMIT_ALL);
  VALUE(MOORING_FEATURE_ACCEPT_MULTISHOT);
  VALUE(MOORING_FEATURE_RECV_MULTISHOT);
}

int main(void) {
  PrintOp();
  PrintSegment();
  PrintCompletion();
  PrintLease();
  PrintSlabOptions();
  PrintSlabInfo();
  PrintRingOptions();
  PrintRingInfo();
  PrintRingStats();
  PrintRegistrationOptions();
  PrintRegistrationInfo();
  PrintExtentInfo();
  PrintFacts();
  PrintValues1();
  PrintValues2();
  return 0;
}
