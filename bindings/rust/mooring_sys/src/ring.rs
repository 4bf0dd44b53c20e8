//! ring.h: submission and completion of operations.

use core::ffi::c_char;
use core::mem::size_of;

use crate::{assert_layout, mooring_completion_t, mooring_error_t, mooring_op_t, opaque};

opaque! {
    /// Takes batches of operations, returns completions.
    mooring_ring_t
}

pub type mooring_engine_t = u32;
pub const MOORING_ENGINE_AUTO: mooring_engine_t = 0;
pub const MOORING_ENGINE_IO_URING: mooring_engine_t = 1;
pub const MOORING_ENGINE_THREADS: mooring_engine_t = 2;

pub type mooring_engine_reason_t = u32;
pub const MOORING_ENGINE_REASON_NONE: mooring_engine_reason_t = 0;
pub const MOORING_ENGINE_REASON_POLICY: mooring_engine_reason_t = 1;
pub const MOORING_ENGINE_REASON_MEMLOCK_LIMIT: mooring_engine_reason_t = 2;
pub const MOORING_ENGINE_REASON_IO_URING_DENIED: mooring_engine_reason_t = 3;
pub const MOORING_ENGINE_REASON_IO_URING_DISABLED: mooring_engine_reason_t = 4;
pub const MOORING_ENGINE_REASON_IO_URING_MISSING: mooring_engine_reason_t = 5;

/// Flags of [`mooring_ring_options_t`] and [`mooring_ring_info_t`].
pub const MOORING_RING_OWNER_THREAD: u32 = 1 << 0;
pub const MOORING_RING_SQPOLL: u32 = 1 << 1;
pub const MOORING_RING_RAISE_MEMLOCK: u32 = 1 << 2;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_ring_options_t {
    pub struct_size: u32,
    pub flags: u32,
    pub engine: mooring_engine_t,
    pub submission_count: u32,
    pub completion_count: u32,
    pub in_flight_max: u32,
    pub fixed_buffer_count: u32,
    pub fixed_file_count: u32,
    pub worker_count: u32,
    pub sqpoll_idle_ms: u32,
}
assert_layout!(mooring_ring_options_t, size 40, align 4);

pub const MOORING_RING_OPTIONS_INIT: mooring_ring_options_t = mooring_ring_options_t {
    struct_size: size_of::<mooring_ring_options_t>() as u32,
    flags: 0,
    engine: 0,
    submission_count: 0,
    completion_count: 0,
    in_flight_max: 0,
    fixed_buffer_count: 0,
    fixed_file_count: 0,
    worker_count: 0,
    sqpoll_idle_ms: 0,
};

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_ring_info_t {
    pub struct_size: u32,
    pub flags: u32,
    pub engine: mooring_engine_t,
    pub engine_reason: mooring_engine_reason_t,
    pub system_error: i32,
    pub submission_count: u32,
    pub completion_count: u32,
    pub in_flight_max: u32,
    pub fixed_buffer_count: u32,
    pub fixed_file_count: u32,
    pub worker_count: u32,
    pub setup_flags: u32,
    pub features: u64,
    pub memlock_bytes: u64,
    pub message: [c_char; 256],
    pub remedy: [c_char; 512],
}
assert_layout!(mooring_ring_info_t, size 832, align 8);

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct mooring_ring_stats_t {
    pub struct_size: u32,
    pub reserved: u32,
    pub submitted: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub read: u64,
    pub read_fixed: u64,
    pub write: u64,
    pub write_fixed: u64,
    pub read_bytes: u64,
    pub write_bytes: u64,
    pub short_count: u64,
    pub in_flight: u64,
    pub system_calls: u64,
    pub overflow_count: u64,
    pub send: u64,
    pub recv: u64,
    pub send_bytes: u64,
    pub recv_bytes: u64,
    pub send_zero_copy: u64,
    pub send_copied: u64,
    pub multishot_completed: u64,
    pub multishot_requests: u64,
}
assert_layout!(mooring_ring_stats_t, size 184, align 8);

extern "C" {
    pub fn mooring_ring_create(
        options: *const mooring_ring_options_t,
        out_ring: *mut *mut mooring_ring_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_submit(
        ring: *mut mooring_ring_t,
        operations: *const mooring_op_t,
        count: u32,
        out_accepted: *mut u32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_reap(
        ring: *mut mooring_ring_t,
        completions: *mut mooring_completion_t,
        capacity: u32,
        min_count: u32,
        timeout_ns: i64,
        out_count: *mut u32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_submit_and_reap(
        ring: *mut mooring_ring_t,
        operations: *const mooring_op_t,
        count: u32,
        out_accepted: *mut u32,
        completions: *mut mooring_completion_t,
        capacity: u32,
        min_count: u32,
        timeout_ns: i64,
        out_count: *mut u32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_cancel(
        ring: *mut mooring_ring_t,
        user_data: u64,
        out_count: *mut u32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_set_file(
        ring: *mut mooring_ring_t,
        index: u32,
        fd: i32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_event_fd(
        ring: *mut mooring_ring_t,
        out_fd: *mut i32,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_get_info(
        ring: *const mooring_ring_t,
        out_info: *mut mooring_ring_info_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_get_stats(
        ring: *const mooring_ring_t,
        out_stats: *mut mooring_ring_stats_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_ring_close(ring: *mut mooring_ring_t, timeout_ns: i64) -> *mut mooring_error_t;
    pub fn mooring_ring_destroy(ring: *mut mooring_ring_t);
}
