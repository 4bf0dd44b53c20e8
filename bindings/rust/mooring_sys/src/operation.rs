//! operation.h: operations and completions, as data.

use crate::{assert_layout, mooring_registration_t};

pub const MOORING_OPERATION_BYTES_MAX: u64 = 0x7fff_f000;
pub const MOORING_FILE_OFFSET_CURRENT: u64 = u64::MAX;

pub type mooring_opcode_t = u16;
pub const MOORING_OPCODE_NOP: mooring_opcode_t = 0;
pub const MOORING_OPCODE_READ: mooring_opcode_t = 1;
pub const MOORING_OPCODE_WRITE: mooring_opcode_t = 2;
pub const MOORING_OPCODE_FSYNC: mooring_opcode_t = 3;
pub const MOORING_OPCODE_FALLOCATE: mooring_opcode_t = 4;
pub const MOORING_OPCODE_OPENAT: mooring_opcode_t = 5;
pub const MOORING_OPCODE_CLOSE: mooring_opcode_t = 6;
pub const MOORING_OPCODE_STATX: mooring_opcode_t = 7;
pub const MOORING_OPCODE_TIMEOUT: mooring_opcode_t = 8;
pub const MOORING_OPCODE_CANCEL: mooring_opcode_t = 9;
pub const MOORING_OPCODE_SEND: mooring_opcode_t = 10;
pub const MOORING_OPCODE_RECV: mooring_opcode_t = 11;
pub const MOORING_OPCODE_ACCEPT: mooring_opcode_t = 12;
pub const MOORING_OPCODE_CONNECT: mooring_opcode_t = 13;
pub const MOORING_OPCODE_SHUTDOWN: mooring_opcode_t = 14;
pub const MOORING_OPCODE_POLL: mooring_opcode_t = 15;
pub const MOORING_OPCODE_SENDMSG: mooring_opcode_t = 16;
pub const MOORING_OPCODE_RECVMSG: mooring_opcode_t = 17;
pub const MOORING_OPCODE_ACCEPT_MULTISHOT: mooring_opcode_t = 18;
pub const MOORING_OPCODE_RECV_MULTISHOT: mooring_opcode_t = 19;

pub const MOORING_SEGMENT_COUNT_MAX: u32 = 16;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_segment_t {
    pub lease_first_index: u32,
    pub lease_generation: u32,
    pub offset: u64,
    pub size: u64,
}
assert_layout!(mooring_segment_t, size 24, align 8);

/// In the high 32 bits of a send's `parameter`.
pub type mooring_send_t = u32;
pub const MOORING_SEND_AUTO: mooring_send_t = 0;
pub const MOORING_SEND_ZERO_COPY: mooring_send_t = 1;
pub const MOORING_SEND_COPY: mooring_send_t = 2;

pub type mooring_operation_flags_t = u16;
pub const MOORING_OPERATION_LINK: mooring_operation_flags_t = 1 << 0;
pub const MOORING_OPERATION_DRAIN: mooring_operation_flags_t = 1 << 1;
pub const MOORING_OPERATION_FIXED_FILE: mooring_operation_flags_t = 1 << 2;

pub const MOORING_FSYNC_DATA_ONLY: u64 = 1;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mooring_op_t {
    pub opcode: mooring_opcode_t,
    pub flags: mooring_operation_flags_t,
    pub fd: i32,
    pub file_offset: u64,
    pub registration: *mut mooring_registration_t,
    pub lease_first_index: u32,
    pub lease_generation: u32,
    pub offset: u64,
    pub size: u64,
    pub user_data: u64,
    pub parameter: u64,
}
assert_layout!(mooring_op_t, size 64, align 8);

pub type mooring_path_t = u32;
pub const MOORING_PATH_NONE: mooring_path_t = 0;
pub const MOORING_PATH_FIXED: mooring_path_t = 1;
pub const MOORING_PATH_COPY: mooring_path_t = 2;

pub type mooring_completion_flags_t = u32;
pub const MOORING_COMPLETION_END_OF_FILE: mooring_completion_flags_t = 1 << 0;
pub const MOORING_COMPLETION_SHORT: mooring_completion_flags_t = 1 << 1;
pub const MOORING_COMPLETION_MORE: mooring_completion_flags_t = 1 << 2;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct mooring_completion_t {
    pub user_data: u64,
    pub result: i64,
    pub flags: mooring_completion_flags_t,
    pub path: mooring_path_t,
    pub lease_first_index: u32,
    pub lease_generation: u32,
}
assert_layout!(mooring_completion_t, size 32, align 8);
