//! error.h: what a failed call returns. Null is success. Free any other error with
//! [`mooring_error_destroy`].

use core::ffi::c_char;

use crate::opaque;

pub type mooring_code_t = u32;
pub const MOORING_CODE_OK: mooring_code_t = 0;
pub const MOORING_CODE_INVALID_ARGUMENT: mooring_code_t = 1;
pub const MOORING_CODE_INVALID_STATE: mooring_code_t = 2;
pub const MOORING_CODE_NOT_FOUND: mooring_code_t = 3;
pub const MOORING_CODE_PERMISSION: mooring_code_t = 4;
pub const MOORING_CODE_UNSUPPORTED: mooring_code_t = 5;
pub const MOORING_CODE_EXHAUSTED: mooring_code_t = 6;
pub const MOORING_CODE_MEMLOCK_LIMIT: mooring_code_t = 7;
pub const MOORING_CODE_CANCELLED: mooring_code_t = 8;
pub const MOORING_CODE_TIMEOUT: mooring_code_t = 9;
pub const MOORING_CODE_IO: mooring_code_t = 10;
pub const MOORING_CODE_DATA_SHORT: mooring_code_t = 11;
pub const MOORING_CODE_DEVICE: mooring_code_t = 12;
pub const MOORING_CODE_FORKED: mooring_code_t = 13;
pub const MOORING_CODE_INTERNAL: mooring_code_t = 14;

pub type mooring_retry_t = u32;
pub const MOORING_RETRY_NEVER: mooring_retry_t = 0;
pub const MOORING_RETRY_LATER: mooring_retry_t = 1;
pub const MOORING_RETRY_AFTER_REMEDY: mooring_retry_t = 2;

opaque! {
    /// Holds a message, a remedy, an errno, and whether a retry can succeed.
    mooring_error_t
}

extern "C" {
    pub fn mooring_error_code(error: *const mooring_error_t) -> mooring_code_t;
    pub fn mooring_error_message(error: *const mooring_error_t) -> *const c_char;
    pub fn mooring_error_remedy(error: *const mooring_error_t) -> *const c_char;
    pub fn mooring_error_system_error(error: *const mooring_error_t) -> i32;
    pub fn mooring_error_retry(error: *const mooring_error_t) -> mooring_retry_t;
    pub fn mooring_error_destroy(error: *mut mooring_error_t);
    pub fn mooring_code_name(code: mooring_code_t) -> *const c_char;
}
