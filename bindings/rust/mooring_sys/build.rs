//! Links the shared library in builds with Cargo. Bazel does not use this file.
//!
//! `MOORING_LIB_DIR` is the folder of libmooring.so.0. It is needed if the linker does not search
//! that folder.

fn main() {
    println!("cargo:rerun-if-env-changed=MOORING_LIB_DIR");
    if let Ok(folder) = std::env::var("MOORING_LIB_DIR") {
        println!("cargo:rustc-link-search=native={folder}");
        println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{folder}");
    }
    // By its soname: only the version that this crate declares.
    println!("cargo:rustc-link-lib=dylib:+verbatim=libmooring.so.0");
}
