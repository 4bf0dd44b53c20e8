//! facts.h: what this machine provides.

use core::ffi::c_char;

use crate::{assert_layout, mooring_engine_reason_t, mooring_engine_t, mooring_error_t};

pub const MOORING_FEATURE_FIXED_BUFFERS: u64 = 1 << 0;
pub const MOORING_FEATURE_BUFFER_UPDATE: u64 = 1 << 1;
pub const MOORING_FEATURE_BUFFER_TAGS: u64 = 1 << 2;
pub const MOORING_FEATURE_SPARSE_TABLE: u64 = 1 << 3;
pub const MOORING_FEATURE_CLONE_BUFFERS: u64 = 1 << 4;
pub const MOORING_FEATURE_FIXED_FILES: u64 = 1 << 5;
pub const MOORING_FEATURE_WAIT_TIMEOUT: u64 = 1 << 6;
pub const MOORING_FEATURE_SINGLE_ISSUER: u64 = 1 << 7;
pub const MOORING_FEATURE_DEFER_TASKRUN: u64 = 1 << 8;
pub const MOORING_FEATURE_SQPOLL: u64 = 1 << 9;
pub const MOORING_FEATURE_SEND_ZERO_COPY: u64 = 1 << 10;
pub const MOORING_FEATURE_SUBMIT_ALL: u64 = 1 << 11;
pub const MOORING_FEATURE_ACCEPT_MULTISHOT: u64 = 1 << 12;
pub const MOORING_FEATURE_RECV_MULTISHOT: u64 = 1 << 13;

pub type mooring_transparent_huge_pages_t = u32;
pub const MOORING_TRANSPARENT_HUGE_PAGES_UNKNOWN: mooring_transparent_huge_pages_t = 0;
pub const MOORING_TRANSPARENT_HUGE_PAGES_NEVER: mooring_transparent_huge_pages_t = 1;
pub const MOORING_TRANSPARENT_HUGE_PAGES_MADVISE: mooring_transparent_huge_pages_t = 2;
pub const MOORING_TRANSPARENT_HUGE_PAGES_ALWAYS: mooring_transparent_huge_pages_t = 3;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_facts_t {
    pub struct_size: u32,
    pub engine: mooring_engine_t,
    pub engine_reason: mooring_engine_reason_t,
    pub engine_system_error: i32,
    pub features: u64,
    pub memlock_soft_bytes: u64,
    pub memlock_hard_bytes: u64,
    pub memlock_used_bytes: u64,
    pub memlock_exempt: u32,
    pub ring_charged: u32,
    pub page_bytes: u64,
    pub transparent_huge_page_bytes: u64,
    pub hugetlb_page_bytes: u64,
    pub hugetlb_pages_total: u64,
    pub hugetlb_pages_free: u64,
    pub transparent_huge_pages: mooring_transparent_huge_pages_t,
    pub numa_node_count: u32,
    pub cpu_count: u32,
    pub reserved: u32,
    pub kernel_release: [c_char; 72],
    pub engine_message: [c_char; 256],
    pub engine_remedy: [c_char; 512],
}
assert_layout!(mooring_facts_t, size 952, align 8);

extern "C" {
    pub fn mooring_facts_get(out_facts: *mut mooring_facts_t) -> *mut mooring_error_t;
}
