//! Raw declarations of the Mooring C interface (`c_api/include/mooring/*.h`).
//!
//! Names and types are those of the headers, one module per header. The headers document what each
//! function does, ownership, and which thread may call. Every function is unsafe, and the contract
//! in the header applies. The caller sets `struct_size` in structs that begin with it. The
//! `MOORING_*_OPTIONS_INIT` constants set it, as in C.
//!
//! Enumerations are integers: a library newer than these declarations may return a value that they
//! do not have.
//!
//! `bindings/coverage` compares every declaration with the C headers: types, offsets, sizes and
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

/// An opaque object of the library. Rust code must not make or move one. The type is not `Send`
/// or `Sync`.
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

/// Stops the build if a struct has another size or alignment than in C on 64-bit Linux.
macro_rules! assert_layout {
    ($name:ty, size $size:literal, align $align:literal) => {
        const _: () = assert!(core::mem::size_of::<$name>() == $size);
        const _: () = assert!(core::mem::align_of::<$name>() == $align);
    };
}
pub(crate) use assert_layout;
