//! Links the shared library for Cargo's users; Bazel links it by itself.
//!
//! `MOORING_LIB_DIR` names the folder of libmooring.so.0 where it is none that the linker searches
//! anyway.

fn main() {
    println!("cargo:rerun-if-env-changed=MOORING_LIB_DIR");
    if let Ok(folder) = std::env::var("MOORING_LIB_DIR") {
        println!("cargo:rustc-link-search=native={folder}");
        println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{folder}");
    }
    // By its soname: the version that this crate declares, and no other.
    println!("cargo:rustc-link-lib=dylib:+verbatim=libmooring.so.0");
}
