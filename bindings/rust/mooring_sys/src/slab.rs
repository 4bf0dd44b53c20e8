//! slab.h: memory that Mooring owns, in buffers that the caller leases.

use core::ffi::{c_char, c_void};
use core::mem::size_of;

use crate::{assert_layout, mooring_error_t, opaque};

opaque! {
    /// One contiguous range of memory, in equal buffers.
    mooring_slab_t
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct mooring_lease_t {
    pub first_index: u32,
    pub buffer_count: u32,
    pub generation: u32,
    pub reserved: u32,
}
assert_layout!(mooring_lease_t, size 16, align 4);

pub type mooring_huge_pages_t = u32;
pub const MOORING_HUGE_PAGES_AUTO: mooring_huge_pages_t = 0;
pub const MOORING_HUGE_PAGES_NEVER: mooring_huge_pages_t = 1;
pub const MOORING_HUGE_PAGES_REQUIRE: mooring_huge_pages_t = 2;

pub type mooring_page_kind_t = u32;
pub const MOORING_PAGE_KIND_ANY: mooring_page_kind_t = 0;
pub const MOORING_PAGE_KIND_ORDINARY: mooring_page_kind_t = 1;
pub const MOORING_PAGE_KIND_TRANSPARENT: mooring_page_kind_t = 2;
pub const MOORING_PAGE_KIND_HUGETLB: mooring_page_kind_t = 3;

pub type mooring_numa_policy_t = u32;
pub const MOORING_NUMA_POLICY_DEFAULT: mooring_numa_policy_t = 0;
pub const MOORING_NUMA_POLICY_BIND: mooring_numa_policy_t = 1;
pub const MOORING_NUMA_POLICY_PREFER: mooring_numa_policy_t = 2;

pub type mooring_touch_t = u32;
pub const MOORING_TOUCH_NOW: mooring_touch_t = 0;
pub const MOORING_TOUCH_NONE: mooring_touch_t = 1;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_slab_options_t {
    pub struct_size: u32,
    pub flags: u32,
    pub buffer_bytes: u64,
    pub buffer_count: u64,
    pub huge_pages: mooring_huge_pages_t,
    pub huge_page_kind: mooring_page_kind_t,
    pub numa_policy: mooring_numa_policy_t,
    pub numa_node: u32,
    pub touch: mooring_touch_t,
    pub touch_thread_count: u32,
    pub buffer_count_max: u64,
}
assert_layout!(mooring_slab_options_t, size 56, align 8);

pub const MOORING_SLAB_OPTIONS_INIT: mooring_slab_options_t = mooring_slab_options_t {
    struct_size: size_of::<mooring_slab_options_t>() as u32,
    flags: 0,
    buffer_bytes: 0,
    buffer_count: 0,
    huge_pages: 0,
    huge_page_kind: 0,
    numa_policy: 0,
    numa_node: 0,
    touch: 0,
    touch_thread_count: 0,
    buffer_count_max: 0,
};

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_slab_info_t {
    pub struct_size: u32,
    pub adopted: u32,
    pub data: *mut c_void,
    pub total_bytes: u64,
    pub buffer_bytes: u64,
    pub buffer_count: u64,
    pub page_bytes: u64,
    pub huge_page_total_bytes: u64,
    pub touched_bytes: u64,
    pub page_kind: mooring_page_kind_t,
    pub numa_node: i32,
    pub leased_count: u64,
    pub held_count: u64,
    pub kernel_reference_count: u64,
    pub note: [c_char; 256],
    pub buffer_count_max: u64,
}
assert_layout!(mooring_slab_info_t, size 360, align 8);

extern "C" {
    pub fn mooring_slab_create(
        options: *const mooring_slab_options_t,
        out_slab: *mut *mut mooring_slab_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_adopt(
        data: *mut c_void,
        size_bytes: u64,
        options: *const mooring_slab_options_t,
        out_slab: *mut *mut mooring_slab_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_import(
        fd: i32,
        offset_bytes: u64,
        size_bytes: u64,
        options: *const mooring_slab_options_t,
        out_slab: *mut *mut mooring_slab_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_get_info(
        slab: *const mooring_slab_t,
        out_info: *mut mooring_slab_info_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_acquire(
        slab: *mut mooring_slab_t,
        buffer_count: u32,
        out_lease: *mut mooring_lease_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_release(
        slab: *mut mooring_slab_t,
        lease: mooring_lease_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_slab_data(slab: *const mooring_slab_t, lease: mooring_lease_t) -> *mut c_void;
    pub fn mooring_slab_grow(slab: *mut mooring_slab_t, buffer_count: u64) -> *mut mooring_error_t;
    pub fn mooring_slab_close(slab: *mut mooring_slab_t, timeout_ns: i64) -> *mut mooring_error_t;
    pub fn mooring_slab_destroy(slab: *mut mooring_slab_t);
}
