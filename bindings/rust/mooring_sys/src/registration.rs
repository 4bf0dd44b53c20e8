//! registration.h: makes a slab usable by a ring, pins it as far as the machine permits, and
//! reports the result.

use core::ffi::c_char;
use core::mem::size_of;

use crate::{assert_layout, mooring_error_t, mooring_ring_t, mooring_slab_t, opaque};

opaque! {
    /// One slab on one ring.
    mooring_registration_t
}

pub type mooring_policy_t = u32;
pub const MOORING_POLICY_PREFER: mooring_policy_t = 0;
pub const MOORING_POLICY_REQUIRE: mooring_policy_t = 1;
pub const MOORING_POLICY_NEVER: mooring_policy_t = 2;

pub type mooring_outcome_t = u32;
pub const MOORING_OUTCOME_FIXED: mooring_outcome_t = 0;
pub const MOORING_OUTCOME_PARTIAL: mooring_outcome_t = 1;
pub const MOORING_OUTCOME_COPY: mooring_outcome_t = 2;

pub type mooring_reason_t = u32;
pub const MOORING_REASON_NONE: mooring_reason_t = 0;
pub const MOORING_REASON_POLICY: mooring_reason_t = 1;
pub const MOORING_REASON_MEMLOCK_LIMIT: mooring_reason_t = 2;
pub const MOORING_REASON_OUT_OF_MEMORY: mooring_reason_t = 3;
pub const MOORING_REASON_BACKING_REFUSED: mooring_reason_t = 4;
pub const MOORING_REASON_TABLE_FULL: mooring_reason_t = 5;
pub const MOORING_REASON_KERNEL_TOO_OLD: mooring_reason_t = 6;
pub const MOORING_REASON_REGISTER_DENIED: mooring_reason_t = 7;
pub const MOORING_REASON_ENGINE_THREADS: mooring_reason_t = 8;
pub const MOORING_REASON_OWNER_THREAD: mooring_reason_t = 9;

pub type mooring_source_t = u32;
pub const MOORING_SOURCE_NONE: mooring_source_t = 0;
pub const MOORING_SOURCE_PINNED: mooring_source_t = 1;
pub const MOORING_SOURCE_CLONED: mooring_source_t = 2;

/// Flag of [`mooring_registration_options_t`].
pub const MOORING_REGISTRATION_RAISE_MEMLOCK: u32 = 1 << 0;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_registration_options_t {
    pub struct_size: u32,
    pub flags: u32,
    pub policy: mooring_policy_t,
    pub provided_buffer_count: u32,
    pub extent_bytes_max: u64,
}
assert_layout!(mooring_registration_options_t, size 24, align 8);

pub const MOORING_REGISTRATION_OPTIONS_INIT: mooring_registration_options_t =
    mooring_registration_options_t {
        struct_size: size_of::<mooring_registration_options_t>() as u32,
        flags: 0,
        policy: 0,
        provided_buffer_count: 0,
        extent_bytes_max: 0,
    };

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_registration_info_t {
    pub struct_size: u32,
    pub policy: mooring_policy_t,
    pub outcome: mooring_outcome_t,
    pub reason: mooring_reason_t,
    pub system_error: i32,
    pub extent_count: u32,
    pub bytes_requested: u64,
    pub bytes_fixed: u64,
    pub memlock_soft_bytes: u64,
    pub memlock_hard_bytes: u64,
    pub memlock_used_bytes: u64,
    pub memlock_exempt: u32,
    pub provided_buffer_count: u32,
    pub message: [c_char; 512],
    pub remedy: [c_char; 512],
    pub bytes_cloned: u64,
    pub provided_system_error: i32,
    pub reserved: u32,
}
assert_layout!(mooring_registration_info_t, size 1112, align 8);

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_extent_info_t {
    pub struct_size: u32,
    pub outcome: mooring_outcome_t,
    pub reason: mooring_reason_t,
    pub system_error: i32,
    pub offset: u64,
    pub size: u64,
    pub bytes_fixed: u64,
    pub source: mooring_source_t,
    pub reserved: u32,
}
assert_layout!(mooring_extent_info_t, size 48, align 8);

extern "C" {
    pub fn mooring_registration_create(
        ring: *mut mooring_ring_t,
        slab: *mut mooring_slab_t,
        options: *const mooring_registration_options_t,
        out_registration: *mut *mut mooring_registration_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_registration_get_info(
        registration: *const mooring_registration_t,
        out_info: *mut mooring_registration_info_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_registration_get_extent(
        registration: *const mooring_registration_t,
        index: u32,
        out_info: *mut mooring_extent_info_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_registration_promote(
        registration: *mut mooring_registration_t,
    ) -> *mut mooring_error_t;
    pub fn mooring_registration_destroy(registration: *mut mooring_registration_t);
}
