// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
// Helpers for plugins in Rust (1.80 or newer, no crates). Included once, by the plugin's lib.rs:
//
//     #[allow(dead_code)]
//     mod trove {
//         include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
//     }
//
// The boundary itself is in `abi`, made from the C headers; everything here may be done without.

/// The boundary: the C headers' structs and constants under their own names.
#[allow(non_camel_case_types)]
pub mod abi {
    include!("trove_plugin.rs");
}
/// JSON in and out.
pub mod json {
    include!("json.rs");
}
/// Traits for datastores, policies, backups and routes, and the tables made of them.
pub mod tables {
    include!("tables.rs");
}

pub use abi::*;
pub use json::Json;

use core::ffi::CStr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

static HOST: AtomicPtr<trove_host_1> = AtomicPtr::new(core::ptr::null_mut());

/// The host's table. Before `start` there is none: a plugin calls the host from its functions only.
pub fn host() -> Option<&'static trove_host_1> {
    // SAFETY: the host keeps its table from init until deinit has returned.
    unsafe { HOST.load(Ordering::Acquire).as_ref() }
}

/// The body of `trove_plugin_1.init`.
///
/// # Safety
/// `table` is what the host handed to init.
pub unsafe fn start(table: *const trove_host_1) -> trove_status {
    match table.as_ref() {
        Some(host) if host.magic == TROVE_MAGIC && host.size as usize == size_of::<trove_host_1>() => {
            HOST.store(table as *mut _, Ordering::Release);
            TROVE_OK
        }
        _ => TROVE_PRECONDITION_FAILED,
    }
}

/// The host's table for a service, if it is offered in this layout. `Service` is the struct that the headers give to `id`.
///
/// # Safety
/// `Service` belongs to `id`.
pub unsafe fn service<Service>(id: &CStr) -> Option<&'static Service> {
    let host = host()?;
    let table = host.get_extension?(host, id.as_ptr());
    if table.is_null() || *(table as *const u32) as usize != size_of::<Service>() {
        return None;
    }
    (table as *const Service).as_ref()
}

/// Why a call fails. `message`: one sentence for operators, without secrets.
#[derive(Debug)]
pub struct Failure {
    pub status: trove_status,
    pub message: String,
    /// The host has recorded it already: only the status is returned.
    pub is_recorded: bool,
}

impl Failure {
    pub fn new(status: trove_status, message: impl Into<String>) -> Self {
        Failure { status, message: message.into(), is_recorded: false }
    }

    /// A system call's error at `what`.
    pub fn io(what: &str, error: std::io::Error) -> Self {
        let status = match error.kind() {
            std::io::ErrorKind::NotFound => TROVE_NOT_FOUND,
            std::io::ErrorKind::PermissionDenied => TROVE_PERMISSION_DENIED,
            std::io::ErrorKind::StorageFull => TROVE_EXHAUSTED,
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => TROVE_TIMED_OUT,
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::ConnectionReset => TROVE_UNAVAILABLE,
            _ => TROVE_INTERNAL,
        };
        Failure::new(status, format!("{what}: {error}"))
    }
}

pub type Result<T> = core::result::Result<T, Failure>;

/// One operation in flight, for as long as the function that received it runs.
#[derive(Clone, Copy)]
pub struct Call(*mut trove_call);

impl Call {
    /// The handle, for the host's services.
    pub fn raw(&self) -> *mut trove_call {
        self.0
    }

    /// Appends a document to the result.
    pub fn emit(&self, document: &Json) -> Result<()> {
        let text = document.to_string();
        let emit = host().and_then(|host| host.emit).ok_or_else(no_host)?;
        // SAFETY: the text lives until emit has returned; the host copies.
        match unsafe { emit(self.0, text.as_ptr().cast(), text.len()) } {
            TROVE_OK => Ok(()),
            status => Err(Failure::new(status, "the result could not be handed to the host")),
        }
    }

    /// Whether the caller wants the operation to stop.
    pub fn is_cancelled(&self) -> bool {
        host().and_then(|host| host.is_cancelled).is_some_and(|ask| unsafe { ask(self.0) } != 0)
    }

    /// What is left of the call's time; `None` without a limit.
    pub fn time_left(&self) -> Option<Duration> {
        let ask = host().and_then(|host| host.time_left_ns)?;
        match unsafe { ask(self.0) } {
            i64::MAX => None,
            left => Some(Duration::from_nanos(left.max(0) as u64)),
        }
    }

    /// Fails if the call was cancelled or its time is over.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Failure::new(TROVE_CANCELLED, "the operation was cancelled"));
        }
        match self.time_left() {
            Some(Duration::ZERO) => Err(Failure::new(TROVE_TIMED_OUT, "the operation's time is over")),
            _ => Ok(()),
        }
    }

    /// `permille`: 0 to 1000, or -1 for unknown.
    pub fn progress(&self, permille: i32, message: &str) {
        if let Some(report) = host().and_then(|host| host.progress) {
            unsafe { report(self.0, permille, lend(message)) }
        }
    }

    fn fail(&self, failure: Failure) -> trove_status {
        if failure.is_recorded {
            return failure.status;
        }
        // One line, of a length that a log takes.
        let message: String = failure.message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
        match host().and_then(|host| host.fail) {
            Some(fail) => unsafe { fail(self.0, failure.status, lend(&message), lend("")) },
            None => failure.status,
        }
    }
}

fn no_host() -> Failure {
    Failure::new(TROVE_INTERNAL, "the plugin has not been started")
}

/// Runs the body of one boundary function: what it returns becomes the status, and a panic never leaves the plugin.
pub fn serve(call: *mut trove_call, body: impl FnOnce(&Call) -> Result<()>) -> trove_status {
    let call = Call(call);
    match catch_unwind(AssertUnwindSafe(|| body(&call))) {
        Ok(Ok(())) => TROVE_OK,
        Ok(Err(failure)) => call.fail(failure),
        Err(_) => call.fail(Failure::new(TROVE_INTERNAL, "the plugin panicked")),
    }
}

/// Lends text to a function of the host.
pub fn lend(text: &str) -> trove_str {
    trove_str { ptr: text.as_ptr().cast(), len: text.len() }
}

/// Borrowed text.
///
/// # Safety
/// `text` was handed over by the host in the call that runs.
pub unsafe fn text<'call>(text: trove_str) -> Result<&'call str> {
    if text.len == 0 {
        return Ok("");
    }
    core::str::from_utf8(core::slice::from_raw_parts(text.ptr.cast(), text.len))
        .map_err(|_| Failure::new(TROVE_INVALID_ARGUMENT, "the text is not UTF-8"))
}

/// The text of an action's STR argument; `None` for an optional one that is absent.
///
/// # Safety
/// As of `text`.
pub unsafe fn argument<'call>(value: *const trove_str) -> Result<Option<&'call str>> {
    value.as_ref().map(|value| text(*value)).transpose()
}

/// A borrowed JSON document.
///
/// # Safety
/// As of `text`.
pub unsafe fn document(value: trove_str) -> Result<Json> {
    Json::parse(text(value)?).map_err(|what| Failure::new(TROVE_INVALID_ARGUMENT, format!("the request is not JSON: {what}")))
}

/// Runs a program to its end through trove.process/1; answers as schemas/process-response.json. A descriptor of -1: none.
pub fn run(call: &Call, request: &Json, stdin_fd: i32, stdout_fd: i32) -> Result<Json> {
    // SAFETY: the struct belongs to the id; the request lives until run has returned.
    unsafe {
        let process: &trove_process_1 =
            service(TROVE_EXT_PROCESS).ok_or_else(|| Failure::new(TROVE_UNSUPPORTED, "the host offers no trove.process/1"))?;
        let run = process.run.ok_or_else(no_host)?;
        let (text, mut response) = (request.to_string(), trove_str { ptr: core::ptr::null(), len: 0 });
        match run(call.raw(), lend(&text), stdin_fd, stdout_fd, &mut response) {
            TROVE_OK => document(response),
            status => Err(Failure { status, message: String::new(), is_recorded: true }),
        }
    }
}

/// `fn` as an action's `fn_`; does not compile if it has another type than the one given.
#[allow(unused_macros)]
macro_rules! trove_typed_fn {
    ($function:expr, $type:ty) => {
        // SAFETY: one function pointer as another; the host casts it back before it calls.
        Some(unsafe { core::mem::transmute::<$type, unsafe extern "C" fn()>($function) })
    };
}

/// The exported entry of a plugin and its constant table:
/// `trove_plugin! { "org.example.x", "1.0.0", { TROVE_EXT_ACTIONS => ACTIONS } }` with a `static` table for each id.
#[allow(unused_macros)]
macro_rules! trove_plugin {
    ($id:literal, $version:literal, { $($extension:expr => $table:path),+ $(,)? }) => {
        unsafe extern "C" fn trove_plugin_init(host: *const $crate::trove::trove_host_1) -> $crate::trove::trove_status {
            $crate::trove::start(host)
        }
        unsafe extern "C" fn trove_plugin_deinit() {}
        unsafe extern "C" fn trove_plugin_get_extension(id: *const core::ffi::c_char) -> *const core::ffi::c_void {
            let id = core::ffi::CStr::from_ptr(id);
            $( if id == $extension { return core::ptr::addr_of!($table).cast(); } )+
            core::ptr::null()
        }
        static TROVE_PLUGIN: $crate::trove::trove_plugin_1 = $crate::trove::trove_plugin_1 {
            size: size_of::<$crate::trove::trove_plugin_1>() as u32,
            magic: $crate::trove::TROVE_MAGIC,
            abi_major: $crate::trove::TROVE_ABI_MAJOR as u16,
            abi_minor: $crate::trove::TROVE_ABI_MINOR as u16,
            flags: 0,
            id: concat!($id, "\0").as_ptr().cast(),
            version: concat!($version, "\0").as_ptr().cast(),
            init: Some(trove_plugin_init),
            deinit: Some(trove_plugin_deinit),
            get_extension: Some(trove_plugin_get_extension),
        };
        #[no_mangle]
        pub extern "C" fn trove_plugin_entry(major: u32, _minor: u32) -> *const $crate::trove::trove_plugin_1 {
            if major == $crate::trove::TROVE_ABI_MAJOR { &TROVE_PLUGIN } else { core::ptr::null() }
        }
    };
}

#[allow(unused_imports)]
pub(crate) use {trove_plugin, trove_typed_fn};
