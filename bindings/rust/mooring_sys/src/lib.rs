//! Raw declarations of the Mooring C interface (`c_api/include/mooring/*.h`), and nothing else.
//!
//! Names, types and order are those of the headers, one module per header; the headers say what
//! each function does, who owns what, and which thread may call. Everything that takes a pointer is
//! unsafe, with exactly the contract written there. Structs that begin with `struct_size` want it
//! set: the `MOORING_*_OPTIONS_INIT` constants do, as in C.
//!
//! Enumerations are integers, since a library newer than these declarations may answer with a value
//! that they lack.
//!
//! `bindings/coverage` holds every declaration here to the C headers: types, offsets, sizes and
//! values.
#![no_std]
#![allow(non_camel_case_types)]

mod error;
mod facts;
mod operation;
mod registration;
mod ring;
mod slab;
mod version;

pub use error::*;
pub use facts::*;
pub use operation::*;
pub use registration::*;
pub use ring::*;
pub use slab::*;
pub use version::*;

/// An object that only the library knows the inside of: not to be made, moved or shared by Rust's
/// rules.
macro_rules! opaque {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[repr(C)]
        pub struct $name {
            _data: [u8; 0],
            _marker: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
        }
    };
}
pub(crate) use opaque;

/// Stops the build where a struct has not the size and alignment that C gives it on 64-bit Linux.
macro_rules! assert_layout {
    ($name:ty, size $size:literal, align $align:literal) => {
        const _: () = assert!(core::mem::size_of::<$name>() == $size);
        const _: () = assert!(core::mem::align_of::<$name>() == $align);
    };
}
pub(crate) use assert_layout;
