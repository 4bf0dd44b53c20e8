//! Calls the shared library through the raw declarations: version, facts, an error, a read through
//! registered memory, and growth.

use std::ffi::{c_char, CStr};
use std::fs::{self, File};
use std::mem::{size_of, zeroed};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::ptr::null_mut;

use mooring_sys::*;

const MIB: usize = 1 << 20;
const SECOND_NS: i64 = 1_000_000_000;

/// Copies a string of the library, or one that it wrote into a fixed array.
fn text(string: *const c_char) -> String {
    // SAFETY: every string of the library ends in NUL and lives at least as long as this call.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// Fails the test with the message and the remedy of `error`.
#[track_caller]
fn check(error: *mut mooring_error_t) {
    if error.is_null() {
        return;
    }
    // SAFETY: the library has returned `error`. It is destroyed once, after its strings were
    // copied.
    let (message, remedy) = unsafe {
        let copies = (text(mooring_error_message(error)), text(mooring_error_remedy(error)));
        mooring_error_destroy(error);
        copies
    };
    panic!("{message}\nremedy: {remedy}");
}

fn facts() -> mooring_facts_t {
    // SAFETY: the struct has integers and arrays of integers, so all-zero is valid. struct_size
    // limits what the library writes.
    unsafe {
        let mut facts: mooring_facts_t = zeroed();
        facts.struct_size = size_of::<mooring_facts_t>() as u32;
        check(mooring_facts_get(&mut facts));
        facts
    }
}

/// A file of one MiB in which all groups of eight bytes differ. It is removed on drop.
struct Sample {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Sample {
    fn new(name: &str) -> Sample {
        let folder = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let path = folder.join(format!("{name}.{}", std::process::id()));
        let bytes: Vec<u8> = (0..MIB as u64 / 8)
            .flat_map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
            .collect();
        fs::write(&path, &bytes).expect("cannot write the sample");
        Sample { path, bytes }
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[test]
fn the_library_has_the_version_of_the_declarations() {
    // SAFETY: neither function has a parameter, and the string is static.
    let (number, string) = unsafe { (mooring_version(), text(mooring_version_string())) };
    assert_eq!(number, MOORING_VERSION);
    assert_eq!(
        string,
        format!("{MOORING_VERSION_MAJOR}.{MOORING_VERSION_MINOR}.{MOORING_VERSION_PATCH}")
    );
    if let Some(package) = option_env!("CARGO_PKG_VERSION") {
        assert_eq!(string, package);
    }
}

#[test]
fn facts_name_the_running_kernel_and_its_engine() {
    let facts = facts();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("cannot read /proc");
    assert_eq!(text(facts.kernel_release.as_ptr()), release.trim());
    assert!(facts.page_bytes.is_power_of_two());
    assert!(facts.cpu_count > 0 && facts.numa_node_count > 0);
    let message = text(facts.engine_message.as_ptr());
    match facts.engine {
        MOORING_ENGINE_IO_URING => {
            assert_eq!(facts.engine_reason, MOORING_ENGINE_REASON_NONE);
            assert_ne!(facts.features, 0);
            assert_eq!(message, "");
        }
        MOORING_ENGINE_THREADS => {
            assert_ne!(facts.engine_reason, MOORING_ENGINE_REASON_NONE);
            assert_ne!(message, "");
            assert_ne!(text(facts.engine_remedy.as_ptr()), "");
        }
        other => panic!("facts name engine {other}"),
    }
}

#[test]
fn an_error_has_code_message_remedy_and_retry_class() {
    // SAFETY: out-pointers are valid; the error is destroyed once, after its last use.
    unsafe {
        let options = mooring_slab_options_t { buffer_bytes: 511, ..MOORING_SLAB_OPTIONS_INIT };
        let mut slab = null_mut();
        let error = mooring_slab_create(&options, &mut slab);
        assert!(!error.is_null() && slab.is_null());
        assert_eq!(mooring_error_code(error), MOORING_CODE_INVALID_ARGUMENT);
        assert_eq!(text(mooring_code_name(mooring_error_code(error))), "INVALID_ARGUMENT");
        assert_eq!(mooring_error_retry(error), MOORING_RETRY_NEVER);
        assert!(text(mooring_error_message(error)).contains("511"));
        assert_ne!(text(mooring_error_remedy(error)), "");
        mooring_error_destroy(error);
    }
}

/// Returns the path that a read must take, from the report of `registration`.
unsafe fn expected_path(registration: *const mooring_registration_t) -> mooring_path_t {
    let mut info: mooring_registration_info_t = zeroed();
    info.struct_size = size_of::<mooring_registration_info_t>() as u32;
    check(mooring_registration_get_info(registration, &mut info));
    let facts = facts();
    let must_be_fixed = facts.engine == MOORING_ENGINE_IO_URING
        && facts.features & MOORING_FEATURE_SPARSE_TABLE != 0
        && facts.memlock_exempt == 1;
    if info.outcome == MOORING_OUTCOME_FIXED {
        assert_eq!((info.reason, info.bytes_fixed), (MOORING_REASON_NONE, info.bytes_requested));
        return MOORING_PATH_FIXED;
    }
    let message = text(info.message.as_ptr());
    assert!(!must_be_fixed, "not FIXED, with io_uring and without a memlock limit: {message}");
    assert_ne!(info.reason, MOORING_REASON_NONE);
    eprintln!("no fixed path here: {message}");
    MOORING_PATH_COPY
}

/// Checks that the counters have one read of one MiB by `path`, and nothing else.
unsafe fn check_stats(ring: *const mooring_ring_t, path: mooring_path_t) {
    let struct_size = size_of::<mooring_ring_stats_t>() as u32;
    let mut stats = mooring_ring_stats_t { struct_size, ..Default::default() };
    check(mooring_ring_get_stats(ring, &mut stats));
    let fixed = u64::from(path == MOORING_PATH_FIXED);
    assert_eq!((stats.submitted, stats.completed, stats.failed), (1, 1, 0));
    assert_eq!((stats.in_flight, stats.short_count), (0, 0));
    assert_eq!((stats.read_fixed, stats.read), (fixed, 1 - fixed));
    assert_eq!((stats.read_bytes, stats.write_bytes), (MIB as u64, 0));
    assert_ne!(stats.system_calls, 0);
}

#[test]
fn one_mebibyte_is_read_through_a_registered_slab() {
    let sample = Sample::new("mooring_sys_library");
    let file = File::open(&sample.path).expect("cannot open the sample");
    // SAFETY: handles are used between create and destroy only; `options` and out-pointers live
    // through their calls; the lease is read after its one operation has completed.
    unsafe {
        let options = mooring_slab_options_t {
            buffer_bytes: MIB as u64,
            buffer_count: 2,
            ..MOORING_SLAB_OPTIONS_INIT
        };
        let mut slab = null_mut();
        check(mooring_slab_create(&options, &mut slab));
        let mut ring = null_mut();
        check(mooring_ring_create(&MOORING_RING_OPTIONS_INIT, &mut ring));
        let mut registration = null_mut();
        check(mooring_registration_create(
            ring,
            slab,
            &MOORING_REGISTRATION_OPTIONS_INIT,
            &mut registration,
        ));
        let path = expected_path(registration);
        let mut lease = mooring_lease_t::default();
        check(mooring_slab_acquire(slab, 1, &mut lease));

        let mut operation: mooring_op_t = zeroed();
        operation.opcode = MOORING_OPCODE_READ;
        operation.fd = file.as_raw_fd();
        operation.registration = registration;
        operation.lease_first_index = lease.first_index;
        operation.lease_generation = lease.generation;
        operation.size = MIB as u64;
        operation.user_data = 0xfeed;
        let mut completion = mooring_completion_t::default();
        let (mut accepted, mut count) = (0, 0);
        check(mooring_ring_submit_and_reap(
            ring,
            &operation,
            1,
            &mut accepted,
            &mut completion,
            1,
            1,
            30 * SECOND_NS,
            &mut count,
        ));

        assert_eq!((accepted, count), (1, 1));
        assert_eq!((completion.user_data, completion.result), (0xfeed, MIB as i64));
        assert_eq!((completion.path, completion.flags), (path, 0));
        let data = mooring_slab_data(slab, lease).cast::<u8>();
        assert!(
            std::slice::from_raw_parts(data, MIB) == sample.bytes,
            "the bytes differ from those of the file"
        );

        check_stats(ring, path);

        check(mooring_slab_release(slab, lease));
        mooring_registration_destroy(registration);
        check(mooring_ring_close(ring, 30 * SECOND_NS));
        mooring_ring_destroy(ring);
        check(mooring_slab_close(slab, 30 * SECOND_NS));
        mooring_slab_destroy(slab);
    }
}

#[test]
fn a_slab_grows_up_to_its_maximum() {
    let options = mooring_slab_options_t {
        buffer_bytes: 4096,
        buffer_count: 2,
        buffer_count_max: 5,
        ..MOORING_SLAB_OPTIONS_INIT
    };
    // SAFETY: the handle is used between create and destroy only; out-pointers live through their
    // calls; the error is destroyed once, after its last use.
    unsafe {
        let mut slab = null_mut();
        check(mooring_slab_create(&options, &mut slab));
        check(mooring_slab_grow(slab, 3));
        let mut info: mooring_slab_info_t = zeroed();
        info.struct_size = size_of::<mooring_slab_info_t>() as u32;
        check(mooring_slab_get_info(slab, &mut info));
        assert_eq!((info.buffer_count, info.buffer_count_max), (5, 5));
        assert_eq!(info.total_bytes, 5 * 4096);
        let mut lease = mooring_lease_t::default();
        check(mooring_slab_acquire(slab, 5, &mut lease));
        let error = mooring_slab_grow(slab, 1);
        assert_eq!(mooring_error_code(error), MOORING_CODE_INVALID_ARGUMENT);
        mooring_error_destroy(error);
        mooring_slab_destroy(slab);
    }
}
