//! version.h: the version of these declarations (constants) and of the loaded library (functions).

use core::ffi::c_char;

pub const MOORING_VERSION_MAJOR: u32 = 0;
pub const MOORING_VERSION_MINOR: u32 = 1;
pub const MOORING_VERSION_PATCH: u32 = 0;
pub const MOORING_VERSION: u32 =
    MOORING_MAKE_VERSION(MOORING_VERSION_MAJOR, MOORING_VERSION_MINOR, MOORING_VERSION_PATCH);

/// One comparable number: 8 bits major, 12 bits minor, 12 bits patch.
#[allow(non_snake_case)]
pub const fn MOORING_MAKE_VERSION(major: u32, minor: u32, patch: u32) -> u32 {
    (major << 24) | (minor << 12) | patch
}

extern "C" {
    pub fn mooring_version() -> u32;
    pub fn mooring_version_string() -> *const c_char;
}
