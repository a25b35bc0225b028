// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
// Made from the headers in include/ by scripts/rust_binding.py: change those, not this.
// Include it in a module that allows non_camel_case_types; trove_plugin_kit.rs does.

use core::ffi::{c_char, c_void, CStr};

// ---- trove_plugin.h ----

/// "TRP1" in memory on little endian
pub const TROVE_MAGIC: u32 = 0x31505254;
pub const TROVE_ABI_MAJOR: u32 = 1;
pub const TROVE_ABI_MINOR: u32 = 0;

/// Borrowed bytes. UTF-8 where text is meant. Not NUL-terminated. ptr may be NULL if and only if len is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_str {
    pub ptr: *const c_char,
    pub len: usize,
}

/// How a call ended. Values travel from plugin to host, so new ones may be appended; the host takes an unknown one for
/// TROVE_INTERNAL.
pub type trove_status = i32;

pub const TROVE_OK: trove_status = 0;
/// the input is wrong by itself
pub const TROVE_INVALID_ARGUMENT: trove_status = 1;
/// the named thing is absent
pub const TROVE_NOT_FOUND: trove_status = 2;
/// the name is taken with different content
pub const TROVE_ALREADY_EXISTS: trove_status = 3;
/// this datastore has no such operation
pub const TROVE_UNSUPPORTED: trove_status = 4;
/// right request, wrong state
pub const TROVE_PRECONDITION_FAILED: trove_status = 5;
/// asked to stop, and did
pub const TROVE_CANCELLED: trove_status = 6;
/// a deadline passed; may be repeated
pub const TROVE_TIMED_OUT: trove_status = 7;
/// another operation holds it; may be repeated
pub const TROVE_BUSY: trove_status = 8;
/// the engine or a service cannot be reached; may be repeated
pub const TROVE_UNAVAILABLE: trove_status = 9;
/// refused by the engine
pub const TROVE_PERMISSION_DENIED: trove_status = 10;
/// disk, connections, quota
pub const TROVE_EXHAUSTED: trove_status = 11;
/// a bug, or unknown
pub const TROVE_INTERNAL: trove_status = 12;
/// finishes later through complete
pub const TROVE_PENDING: trove_status = 13;

/// One operation in flight. Opaque: a slot number and a generation, never an address. The host looks it up, so a stale
/// one is a logged miss. Valid until the function that received it returns or, after TROVE_PENDING, until complete.
#[repr(C)]
pub struct trove_call {
    _opaque: [u8; 0],
}

/// What the host offers to one plugin. Valid from init until deinit has returned.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_host_1 {
    /// sizeof(trove_host_1)
    pub size: u32,
    /// TROVE_MAGIC
    pub magic: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    /// 0
    pub flags: u32,
    /// the host product, for logs; never branch on it
    pub name: trove_str,
    pub version: trove_str,
    /// The host's table for id, or NULL if it is not offered. The table is valid until deinit has returned. [any]
    pub get_extension: Option<unsafe extern "C" fn(host: *const trove_host_1, id: *const c_char) -> *const c_void>,
    /// Appends result bytes to the call's output. data may be NULL if len is 0. TROVE_EXHAUSTED past 16 MiB. [call]
    pub emit: Option<unsafe extern "C" fn(call: *mut trove_call, data: *const c_void, len: usize) -> trove_status>,
    /// Records why the call fails and returns code, so: return host->fail(...). message: one sentence for operators,
    /// without secrets. details: a JSON object, or empty. [call]
    pub fail: Option<unsafe extern "C" fn(call: *mut trove_call, code: trove_status, message: trove_str, details: trove_str) -> trove_status>,
    /// Non-zero once the caller wants the operation to stop. [call]
    pub is_cancelled: Option<unsafe extern "C" fn(call: *mut trove_call) -> i32>,
    /// A descriptor that becomes readable on cancellation, for poll(). Never read or close it. -1 if there is none. [call]
    pub cancel_fd: Option<unsafe extern "C" fn(call: *mut trove_call) -> i32>,
    /// Nanoseconds of monotonic time left; INT64_MAX without a limit; 0 or less when past. [call]
    pub time_left_ns: Option<unsafe extern "C" fn(call: *mut trove_call) -> i64>,
    /// permille: 0..1000, or -1 for unknown. Frequent reports are thinned out. [call]
    pub progress: Option<unsafe extern "C" fn(call: *mut trove_call, permille: i32, message: trove_str)>,
    /// Finishes a call that returned TROVE_PENDING, exactly once. [any]
    pub complete: Option<unsafe extern "C" fn(call: *mut trove_call, status: trove_status)>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_host_1 {}

impl trove_host_1 {
    /// Its size, and nothing else: for `..trove_host_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        magic: 0,
        abi_major: 0,
        abi_minor: 0,
        flags: 0,
        name: trove_str { ptr: core::ptr::null(), len: 0 },
        version: trove_str { ptr: core::ptr::null(), len: 0 },
        get_extension: None,
        emit: None,
        fail: None,
        is_cancelled: None,
        cancel_fd: None,
        time_left_ns: None,
        progress: None,
        complete: None,
    };
}

/// What a plugin is. Constant until the process ends.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_plugin_1 {
    /// sizeof(trove_plugin_1)
    pub size: u32,
    /// TROVE_MAGIC
    pub magic: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    /// 0
    pub flags: u32,
    /// reverse DNS, equal to the manifest's; NUL-terminated UTF-8
    pub id: *const c_char,
    /// semantic version, equal to the manifest's; NUL-terminated UTF-8
    pub version: *const c_char,
    /// Once, before any other call. Fast: no I/O, no threads. Anything but TROVE_OK leaves the plugin unused. [loader]
    pub init: Option<unsafe extern "C" fn(host: *const trove_host_1) -> trove_status>,
    /// Once, after all calls have ended. Stop own threads here. The library stays mapped. [loader]
    pub deinit: Option<unsafe extern "C" fn()>,
    /// The plugin's constant table for id, or NULL if it is not provided. The same answer every time. [any]
    pub get_extension: Option<unsafe extern "C" fn(id: *const c_char) -> *const c_void>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_plugin_1 {}

impl trove_plugin_1 {
    /// Its size, and nothing else: for `..trove_plugin_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        magic: 0,
        abi_major: 0,
        abi_minor: 0,
        flags: 0,
        id: core::ptr::null(),
        version: core::ptr::null(),
        init: None,
        deinit: None,
        get_extension: None,
    };
}

// ---- trove_stream.h ----

/// Bytes to read. Valid during the call that received it. fd >= 0 is the same stream as a descriptor, to hand to a child
/// process; use read or fd, not both, and do not close it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_istream_1 {
    /// sizeof(trove_istream_1)
    pub size: u32,
    pub fd: i32,
    /// the host's
    pub ctx: *mut c_void,
    /// Bytes read into buffer, 0 at the end, -1 on an error or cancellation. Blocks. [call]
    pub read: Option<unsafe extern "C" fn(stream: *const trove_istream_1, buffer: *mut c_void, capacity: usize) -> i64>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_istream_1 {}

impl trove_istream_1 {
    /// Its size, and nothing else: for `..trove_istream_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        fd: 0,
        ctx: core::ptr::null_mut(),
        read: None,
    };
}

/// A place for bytes. Valid during the call that received it. fd as above.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_ostream_1 {
    /// sizeof(trove_ostream_1)
    pub size: u32,
    pub fd: i32,
    /// the host's
    pub ctx: *mut c_void,
    /// Bytes taken, possibly fewer than len, -1 on an error or cancellation. Blocks while the receiver is slow. [call]
    pub write: Option<unsafe extern "C" fn(stream: *const trove_ostream_1, data: *const c_void, len: usize) -> i64>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_ostream_1 {}

impl trove_ostream_1 {
    /// Its size, and nothing else: for `..trove_ostream_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        fd: 0,
        ctx: core::ptr::null_mut(),
        write: None,
    };
}

// ---- trove_services.h ----

pub const TROVE_EXT_LOG: &CStr = c"trove.log/1";
pub const TROVE_LOG_TRACE: i32 = 0;
pub const TROVE_LOG_DEBUG: i32 = 1;
pub const TROVE_LOG_INFO: i32 = 2;
pub const TROVE_LOG_NOTICE: i32 = 3;
pub const TROVE_LOG_WARNING: i32 = 4;
pub const TROVE_LOG_ERROR: i32 = 5;
pub const TROVE_LOG_CRITICAL: i32 = 6;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_log_1 {
    pub size: u32,
    pub flags: u32,
    /// One line. The host adds plugin id, request id and instance id. call may be NULL outside of calls. message is
    /// constant text; data goes into fields, a JSON object, or empty. No secrets. [any]
    pub log: Option<unsafe extern "C" fn(host: *const trove_host_1, call: *mut trove_call, level: i32, message: trove_str, fields: trove_str)>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_log_1 {}

impl trove_log_1 {
    /// Its size, and nothing else: for `..trove_log_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        log: None,
    };
}

pub const TROVE_EXT_CONFIG: &CStr = c"trove.config/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_config_1 {
    pub size: u32,
    pub flags: u32,
    /// The plugin's own section of the operator's configuration, a JSON object ({} without one). Valid until deinit has
    /// returned. [any]
    pub get: Option<unsafe extern "C" fn(host: *const trove_host_1) -> trove_str>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_config_1 {}

impl trove_config_1 {
    /// Its size, and nothing else: for `..trove_config_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        get: None,
    };
}

pub const TROVE_EXT_PROCESS: &CStr = c"trove.process/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_process_1 {
    pub size: u32,
    pub flags: u32,
    /// Runs a program to its end. Plugins never fork.
    /// request: schemas/process-request.json, e.g. {"argv": ["/usr/bin/tool", "--flag"], "as": "engine"}. No shell; argv[0]
    /// is an absolute path. "as": "engine" runs with the instance's uid inside its limits, "agent" as the agent itself.
    /// stdin_fd: given to the child as descriptor 0, -1 for nothing. stdout_fd: as descriptor 1; -1 collects up to 1 MiB
    /// into the response. Neither is closed. Cancellation and the call's deadline kill the child's group.
    /// *response: schemas/process-response.json, {"exit_status": 0, "signal": null, "stdout": "", "stderr_tail": ""};
    /// borrowed until the call ends. TROVE_OK also for a non-zero exit; failures are those of starting it, TROVE_CANCELLED
    /// and TROVE_TIMED_OUT. A failure has been recorded with fail already: return the status. [call]
    pub run: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str, stdin_fd: i32, stdout_fd: i32, response: *mut trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_process_1 {}

impl trove_process_1 {
    /// Its size, and nothing else: for `..trove_process_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        run: None,
    };
}

pub const TROVE_EXT_CONTROL: &CStr = c"trove.control/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_control_1 {
    pub size: u32,
    pub flags: u32,
    /// Runs one of the control plane's own operations with the identity of the request being served.
    /// operation and request: schemas/control-operations.json, e.g. "guest.call" with {"instance_id", "verb", "arguments"}.
    /// *response: one JSON value, borrowed until the call ends. A failure has been recorded with fail already: return the
    /// status. [call]
    pub call: Option<unsafe extern "C" fn(call: *mut trove_call, operation: trove_str, request: trove_str, response: *mut trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_control_1 {}

impl trove_control_1 {
    /// Its size, and nothing else: for `..trove_control_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        call: None,
    };
}

pub const TROVE_EXT_KV: &CStr = c"trove.kv/1";
/// bytes a value
pub const TROVE_KV_VALUE_MAX: u32 = 65536;
/// bytes a key, printable ASCII
pub const TROVE_KV_KEY_MAX: u32 = 255;
/// expected: whatever is there
pub const TROVE_KV_ANY: u64 = 0xffffffffffffffff;
/// expected: nothing may be there
pub const TROVE_KV_ABSENT: u64 = 0;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_kv_1 {
    pub size: u32,
    pub flags: u32,
    /// value: borrowed until the call ends. *revision: 1 or more; NULL allowed. TROVE_NOT_FOUND without one. [call]
    pub get: Option<unsafe extern "C" fn(call: *mut trove_call, key: trove_str, value: *mut trove_str, revision: *mut u64) -> trove_status>,
    /// Stores a value if the key has the expected revision, else TROVE_PRECONDITION_FAILED. *revision: the new one; NULL
    /// allowed. TROVE_EXHAUSTED past 10,000 keys. [call]
    pub put: Option<unsafe extern "C" fn(call: *mut trove_call, key: trove_str, value: trove_str, expected: u64, revision: *mut u64) -> trove_status>,
    /// TROVE_OK also if there is none and expected is TROVE_KV_ANY. [call]
    pub remove: Option<unsafe extern "C" fn(call: *mut trove_call, key: trove_str, expected: u64) -> trove_status>,
    /// Keys in ascending order. request: {"prefix", "after", "limit"}, all optional; limit at most 1,000. *response:
    /// {"keys": [{"key", "revision"}], "next": text or null}; borrowed until the call ends. [call]
    pub list: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str, response: *mut trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_kv_1 {}

impl trove_kv_1 {
    /// Its size, and nothing else: for `..trove_kv_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        get: None,
        put: None,
        remove: None,
        list: None,
    };
}

pub const TROVE_EXT_HTTP: &CStr = c"trove.http/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_http_1 {
    pub size: u32,
    pub flags: u32,
    /// One exchange; redirects are not followed. request: schemas/http-request.json. Only hosts on the operator's egress list
    /// for this plugin, else TROVE_PERMISSION_DENIED. body: the request's body, read to its end; NULL for the one in request,
    /// or none. sink: gets the response's body as it comes; NULL collects up to 1 MiB into *response. Both are the plugin's
    /// own tables (size, read or write, ctx; fd -1). *response: schemas/http-response.json; borrowed until the call ends.
    /// TROVE_OK for every status that a server sent; TROVE_UNAVAILABLE without an answer. Cancellation and the deadline end
    /// it. [call]
    pub request: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str, body: *const trove_istream_1, sink: *const trove_ostream_1, response: *mut trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_http_1 {}

impl trove_http_1 {
    /// Its size, and nothing else: for `..trove_http_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        request: None,
    };
}

pub const TROVE_EXT_OBJECT_STORE: &CStr = c"trove.object-store/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_object_store_1 {
    pub size: u32,
    pub flags: u32,
    /// Writes the object to sink, the plugin's own table. TROVE_NOT_FOUND without one. [call]
    pub get: Option<unsafe extern "C" fn(call: *mut trove_call, name: trove_str, sink: *const trove_ostream_1) -> trove_status>,
    /// Stores what source yields until its end, whole or not at all; replaces. name: 1 to 255 printable ASCII. [call]
    pub put: Option<unsafe extern "C" fn(call: *mut trove_call, name: trove_str, source: *const trove_istream_1) -> trove_status>,
    /// TROVE_OK also if it is gone. [call]
    pub remove: Option<unsafe extern "C" fn(call: *mut trove_call, name: trove_str) -> trove_status>,
    /// request: as trove_kv_1.list. *response: {"objects": [{"name", "bytes"}], "next": text or null}; borrowed until the
    /// call ends. [call]
    pub list: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str, response: *mut trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_object_store_1 {}

impl trove_object_store_1 {
    /// Its size, and nothing else: for `..trove_object_store_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        get: None,
        put: None,
        remove: None,
        list: None,
    };
}

pub const TROVE_EXT_RPC: &CStr = c"trove.rpc/1";
pub const TROVE_RPC_PAYLOAD_MAX: u32 = 1048576;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_rpc_1 {
    pub size: u32,
    pub flags: u32,
    /// Calls and waits. request: schemas/rpc-request.json, {"instance_id", "method", "payload"}; from the guest instance_id is
    /// the guest's own and may be absent, and the peer is in the control plane; from the control plane it names the guest.
    /// *response: what the peer emitted; borrowed until the call ends. The peer's failure is recorded already: return the
    /// status. [call]
    pub call: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str, response: *mut trove_str) -> trove_status>,
    /// The same without an answer: TROVE_OK once the message is on its way. [call]
    pub cast: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_rpc_1 {}

impl trove_rpc_1 {
    /// Its size, and nothing else: for `..trove_rpc_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        call: None,
        cast: None,
    };
}

pub const TROVE_EXT_METRICS: &CStr = c"trove.metrics/1";
pub const TROVE_METRIC_LABELS_MAX: u32 = 4;
/// record adds; never negative
pub const TROVE_METRIC_COUNTER: u32 = 1;
/// record sets
pub const TROVE_METRIC_GAUGE: u32 = 2;
/// record observes, in seconds or bytes
pub const TROVE_METRIC_HISTOGRAM: u32 = 3;

#[repr(C)]
pub struct trove_metric {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_metrics_1 {
    pub size: u32,
    pub flags: u32,
    /// Makes a metric; in init only. name: lower-case words and '_'; it is shown as trove_plugin_<name> with the label
    /// plugin="<id>". help: one line. labels: names, at most TROVE_METRIC_LABELS_MAX. NULL if that is not allowed, which is
    /// logged. At most 64 metrics a plugin and 1,000 label values a metric, more are dropped and counted. [loader]
    pub define: Option<unsafe extern "C" fn(host: *const trove_host_1, kind: u32, name: trove_str, help: trove_str, labels: *const trove_str, label_count: u32) -> *mut trove_metric>,
    /// metric may be NULL: nothing happens. values: one for each label, in order. [any]
    pub record: Option<unsafe extern "C" fn(metric: *mut trove_metric, value: f64, values: *const trove_str, value_count: u32)>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_metrics_1 {}

impl trove_metrics_1 {
    /// Its size, and nothing else: for `..trove_metrics_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        define: None,
        record: None,
    };
}

pub const TROVE_EXT_REPORT: &CStr = c"trove.report/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_report_1 {
    pub size: u32,
    pub flags: u32,
    /// Tells the control plane what the plugin learnt by itself. kind and document:
    /// "service_status"  {"status": "healthy" | "starting" | "blocked" | "shutdown"}   until the agent asks again
    /// "root_enabled"    {}                                          the superuser was enabled on the engine itself
    /// "backup"          {"backup_id", "message"}                    a note for operators on a running backup
    /// TROVE_OK once it is kept for sending. call may be NULL. [any]
    pub report: Option<unsafe extern "C" fn(host: *const trove_host_1, call: *mut trove_call, kind: trove_str, document: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_report_1 {}

impl trove_report_1 {
    /// Its size, and nothing else: for `..trove_report_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        report: None,
    };
}

pub const TROVE_EXT_CLOCK: &CStr = c"trove.clock/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_clock_1 {
    pub size: u32,
    pub flags: u32,
    /// nanoseconds since 1970-01-01 UTC [any]
    pub now_ns: Option<unsafe extern "C" fn() -> i64>,
    /// nanoseconds since some start; never goes back [any]
    pub monotonic_ns: Option<unsafe extern "C" fn() -> i64>,
    /// Waits. TROVE_CANCELLED or TROVE_TIMED_OUT as soon as the call shall stop. [call]
    pub sleep_ns: Option<unsafe extern "C" fn(call: *mut trove_call, nanoseconds: i64) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_clock_1 {}

impl trove_clock_1 {
    /// Its size, and nothing else: for `..trove_clock_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        now_ns: None,
        monotonic_ns: None,
        sleep_ns: None,
    };
}

pub const TROVE_EXT_THREAD_CHECK: &CStr = c"trove.thread-check/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_thread_check_1 {
    pub size: u32,
    pub flags: u32,
    /// non-zero on a thread that may run [worker] functions now [any]
    pub is_worker: Option<unsafe extern "C" fn() -> i32>,
    /// non-zero on the thread that may run [loader] functions now [any]
    pub is_loader: Option<unsafe extern "C" fn() -> i32>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_thread_check_1 {}

impl trove_thread_check_1 {
    /// Its size, and nothing else: for `..trove_thread_check_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        is_worker: None,
        is_loader: None,
    };
}

// ---- trove_datastore.h ----

pub const TROVE_EXT_DATASTORE: &CStr = c"trove.datastore/1";
pub const TROVE_SERVICE_UNKNOWN: u32 = 0;
/// answers over the instance's own address
pub const TROVE_SERVICE_HEALTHY: u32 = 1;
/// up, not yet answering
pub const TROVE_SERVICE_STARTING: u32 = 2;
/// up, refuses work: read-only, full, out of connections
pub const TROVE_SERVICE_BLOCKED: u32 = 3;
/// does not answer
pub const TROVE_SERVICE_SHUTDOWN: u32 = 4;

/// The caller sets size and zeroes the rest; the callee writes nothing past size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_service_status_1 {
    pub size: u32,
    /// TROVE_SERVICE_*
    pub status: u32,
    /// 0: not known
    pub data_bytes: u64,
    /// clients connected now
    pub connections: u32,
    pub reserved: u32,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_service_status_1 {}

impl trove_service_status_1 {
    /// Its size, and nothing else: for `..trove_service_status_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        status: 0,
        data_bytes: 0,
        connections: 0,
        reserved: 0,
    };
}

/// All functions [worker]; calls on one self never overlap. Requests and results are JSON documents, one a call; their
/// schemas are in schemas/<name>.json. A function that may be NULL is answered with TROVE_UNSUPPORTED by the host; for those
/// whose comment says "nothing to do" the host goes on without it.
/// Every function is idempotent: making what is there with the same content and deleting what is gone are TROVE_OK.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_datastore_1 {
    pub size: u32,
    pub flags: u32,
    /// Makes the state for one instance. config: instance.json. *self is handed back to every function below; the engine
    /// may be running already (the agent was restarted), or not be installed yet. No I/O but small files.
    pub open: Option<unsafe extern "C" fn(call: *mut trove_call, config: trove_str, self_: *mut *mut c_void) -> trove_status>,
    /// Frees self. The engine goes on.
    pub close: Option<unsafe extern "C" fn(self_: *mut c_void)>,
    /// Fills the empty data directory of a template that later instances start from: no identity, no accounts that can
    /// log in from outside, no secrets. request: initialize-request.json. NULL: instances start from an empty volume.
    pub initialize: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Makes a data directory (a copy of the template, or restored from a backup) ready for its first start: configuration,
    /// identity, the administrator's account. The engine is not running. request: prepare-request.json.
    pub prepare: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits how to start the engine: launch.json. The host spawns, confines, supervises and stops it. request: {}.
    pub launch: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// After the engine said that it is ready: returns TROVE_OK once an administrator's login over the instance's own
    /// address works, and removes what only the first start needed. request: {}.
    pub started: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Fills *out. Within 5 s.
    pub status: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, out: *mut trove_service_status_1) -> trove_status>,
    /// Emits what a backup strategy needs: backup-access.json. request: {}. NULL: no backups.
    pub backup_access: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Databases. create: {"databases": [database.json]}. delete: {"name"}. list: page-request.json -> database-page.json.
    /// NULL: the engine has none.
    pub create_databases: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub delete_database: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub list_databases: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Users. create: {"users": [user.json]}. delete, get: {"name", "host"}. get -> user-view.json, TROVE_NOT_FOUND without
    /// one. update: user-update.json. list: page-request.json -> user-page.json. NULL: the engine has none.
    pub create_users: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub delete_user: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub get_user: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub update_user: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub list_users: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Grants. grant: {"name", "host", "databases": ["d"]}. revoke: {"name", "host", "database": "d"}.
    pub grant_access: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub revoke_access: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// The superuser that tenants may ask for. enable: {"password": text or null} -> {"name", "password"}. disable: {}.
    /// status: {} -> {"enabled": bool}. NULL: the engine has none.
    pub enable_root: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub disable_root: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub root_status: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Makes changed configuration values effective: what the engine takes while it runs at once, everything for the next
    /// start. request: apply-configuration-request.json. Emits apply-configuration-result.json, which names the values that
    /// wait for a restart. Taking a value away is a null in "values". NULL: the engine's configuration cannot be changed.
    pub apply_configuration: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// A change of the datastore version, one instance at a time. request, all three: upgrade-request.json. NULL: nothing to
    /// do at that moment.
    /// pre_upgrade: the old version's plugin, engine running: makes it ready, or refuses with TROVE_PRECONDITION_FAILED.
    /// upgrade: the new version's plugin, engine stopped: makes the data directory fit its programs.
    /// post_upgrade: the new version's plugin, engine running: finishes, e.g. system tables.
    pub pre_upgrade: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub upgrade: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub post_upgrade: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// The engine's logs. list: {} -> log-list.json. set: {"name", "enabled": bool} -> {"restart_required": bool}, for logs
    /// of type "user"; those of type "sys" are always on. NULL: the engine has none beside its standard error.
    pub list_logs: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub set_log: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_datastore_1 {}

impl trove_datastore_1 {
    /// Its size, and nothing else: for `..trove_datastore_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        open: None,
        close: None,
        initialize: None,
        prepare: None,
        launch: None,
        started: None,
        status: None,
        backup_access: None,
        create_databases: None,
        delete_database: None,
        list_databases: None,
        create_users: None,
        delete_user: None,
        get_user: None,
        update_user: None,
        list_users: None,
        grant_access: None,
        revoke_access: None,
        enable_root: None,
        disable_root: None,
        root_status: None,
        apply_configuration: None,
        pre_upgrade: None,
        upgrade: None,
        post_upgrade: None,
        list_logs: None,
        set_log: None,
    };
}

// ---- trove_datastore_policy.h ----

pub const TROVE_EXT_DATASTORE_POLICY: &CStr = c"trove.datastore-policy/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_datastore_policy_1 {
    pub size: u32,
    pub flags: u32,
    /// Emits what an instance of a version needs: requirements.json. request: {"version"}. [worker]
    pub requirements: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// TROVE_OK if an instance can be made as asked, else TROVE_INVALID_ARGUMENT with a sentence for the tenant.
    /// request: create-request.json. [worker]
    pub validate_create: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits the engine's configuration for a size: configuration.json. request: configuration-request.json. [worker]
    pub render_configuration: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits what may be configured: parameters.json. request: {"version"}. NULL: nothing. [worker]
    pub parameters: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// TROVE_OK if the values can be used together, else TROVE_INVALID_ARGUMENT. The host has checked each value against the
    /// parameters before. request: {"version", "values": object}. NULL: no further rules. [worker]
    pub validate_configuration: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// TROVE_OK if an instance can go from one version to another, else TROVE_PRECONDITION_FAILED with a sentence. Emits
    /// upgrade-plan.json. request: {"from", "to"}. NULL: never, except to the same version. [worker]
    pub plan_upgrade: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_datastore_policy_1 {}

impl trove_datastore_policy_1 {
    /// Its size, and nothing else: for `..trove_datastore_policy_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        requirements: None,
        validate_create: None,
        render_configuration: None,
        parameters: None,
        validate_configuration: None,
        plan_upgrade: None,
    };
}

// ---- trove_backup.h ----

pub const TROVE_EXT_BACKUP: &CStr = c"trove.backup/1";
/// makes full backups
pub const TROVE_BACKUP_FULL: u32 = 1;
/// makes backups relative to a parent
pub const TROVE_BACKUP_INCREMENTAL: u32 = 2;

/// Functions [worker]; calls on one self never overlap. Documents: schemas/<name>.json.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_backup_1 {
    pub size: u32,
    /// TROVE_BACKUP_* that it can do
    pub flags: u32,
    /// config: backup-config.json, the instance's document; for a backup with "access", what the datastore's
    /// backup_access emitted.
    pub open: Option<unsafe extern "C" fn(call: *mut trove_call, config: trove_str, self_: *mut *mut c_void) -> trove_status>,
    pub close: Option<unsafe extern "C" fn(self_: *mut c_void)>,
    /// Writes a consistent copy to out. Long. request: backup-request.json. Emits backup-result.json, whose "position" the
    /// host keeps and gives back as "parent" of an increment.
    pub backup: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str, out: *const trove_ostream_1) -> trove_status>,
    /// Fills the empty data directory from in. Long. request: restore-request.json. A repeat starts from an empty
    /// directory again.
    pub restore: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str, in_: *const trove_istream_1) -> trove_status>,
    /// Makes what restore left ready for the datastore's prepare. Same request. NULL: nothing to do.
    pub post_restore: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_backup_1 {}

impl trove_backup_1 {
    /// Its size, and nothing else: for `..trove_backup_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        open: None,
        close: None,
        backup: None,
        restore: None,
        post_restore: None,
    };
}

// ---- trove_api_extension.h ----

pub const TROVE_EXT_API_EXTENSION: &CStr = c"trove.api-extension/1";

/// The API prefixes that a route may have; each first word after the prefix is declared in the manifest, under
/// routes.instances, routes.clusters or routes.x:
/// /instances/{id}/WORD...   about one instance
/// /clusters/{id}/WORD...    about one cluster
/// /x/PLUGIN ID/WORD...      the plugin's own
/// One {parameter} is one path segment. A route that a core route or another plugin has is refused at load.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_route_1 {
    /// sizeof(trove_route_1), 0
    pub size: u32,
    pub flags: u32,
    /// "GET", "POST", "PUT", "PATCH", "DELETE"
    pub method: *const c_char,
    /// below /v1.0/{project}, e.g. "/instances/{id}/users/{name}"
    pub path: *const c_char,
    /// policy rule name, e.g. "instance:extension:user:show"
    pub policy: *const c_char,
    /// one line, for documents made from the routes
    pub summary: *const c_char,
    /// JSON Schemas of the bodies, as text; they are shown to clients, and a request body that does not fit is refused
    /// before the plugin is called. NULL: any body, or none.
    pub request_schema: *const c_char,
    pub response_schema: *const c_char,
    /// request: api-request.json. Emits api-response.json. A failure becomes the fault of its status. [worker]
    pub handle: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_route_1 {}

impl trove_route_1 {
    /// Its size, and nothing else: for `..trove_route_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        method: core::ptr::null(),
        path: core::ptr::null(),
        policy: core::ptr::null(),
        summary: core::ptr::null(),
        request_schema: core::ptr::null(),
        response_schema: core::ptr::null(),
        handle: None,
    };
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_api_extension_1 {
    pub size: u32,
    pub count: u32,
    pub routes: *const trove_route_1,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_api_extension_1 {}

impl trove_api_extension_1 {
    /// Its size, and nothing else: for `..trove_api_extension_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        count: 0,
        routes: core::ptr::null(),
    };
}

// ---- trove_actions.h ----

pub const TROVE_EXT_ACTIONS: &CStr = c"trove.actions/1";
pub const TROVE_ACTION_ARGS_MAX: u32 = 8;
/// int32_t, 0 or 1
pub const TROVE_T_BOOL: u32 = 1;
/// int32_t
pub const TROVE_T_I32: u32 = 2;
/// int64_t
pub const TROVE_T_I64: u32 = 3;
/// uint64_t
pub const TROVE_T_U64: u32 = 4;
/// double
pub const TROVE_T_F64: u32 = 5;
/// const trove_str *, UTF-8, may hold NUL
pub const TROVE_T_STR: u32 = 6;
/// const trove_str *, bytes; base64 in JSON
pub const TROVE_T_BYTES: u32 = 7;
/// const trove_str *, one JSON value
pub const TROVE_T_JSON: u32 = 8;
/// may be absent: STR, BYTES and JSON are then NULL; others have a default in the manifest
pub const TROVE_ARG_OPTIONAL: u32 = 1;
/// never logged, never echoed
pub const TROVE_ARG_SECRET: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_arg_1 {
    /// JSON key, snake_case
    pub name: *const c_char,
    /// TROVE_T_*
    pub type_: u32,
    /// TROVE_ARG_*
    pub flags: u32,
    /// one line: meaning, unit, range
    pub summary: *const c_char,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_arg_1 {}

#[repr(C)]
#[derive(Clone, Copy)]
pub union trove_value_1_v {
    /// BOOL and I32
    pub i32: i32,
    pub i64: i64,
    pub u64: u64,
    pub f64: f64,
    /// STR, BYTES, JSON; borrowed until the call ends
    pub str: trove_str,
}

/// One argument of a packed action.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_value_1 {
    /// TROVE_T_*
    pub type_: u32,
    /// 0: absent, and v is zero
    pub present: u32,
    pub v: trove_value_1_v,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_value_1 {}

/// fn has the packed form
pub const TROVE_ACTION_PACKED: u32 = 1;
/// changes nothing; may be repeated and retried freely
pub const TROVE_ACTION_READ_ONLY: u32 = 2;

/// Any function; cast to its own type before it is called.
pub type trove_fn = Option<unsafe extern "C" fn()>;

/// fn as a trove_fn; does not compile if fn has another type than the one given, so that a function and the arguments
/// declared beside it cannot drift apart:
/// TROVE_TYPED_FN(greet, trove_status (*)(trove_call *, const trove_str *, int64_t))
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_action_1 {
    /// sizeof(trove_action_1)
    pub size: u32,
    /// TROVE_ACTION_*
    pub flags: u32,
    /// JSON key of the action, snake_case; equal to the manifest's
    pub name: *const c_char,
    /// one line
    pub summary: *const c_char,
    /// NULL if and only if arg_count is 0
    pub args: *const trove_arg_1,
    /// at most TROVE_ACTION_ARGS_MAX
    pub arg_count: u32,
    /// 0: the host's default of 60
    pub timeout_s: u32,
    /// Emits one JSON value, or nothing. [worker]
    /// Typed:  trove_status fn(trove_call *call, <the arguments in order>)
    /// PACKED: trove_status fn(trove_call *call, void *user, const trove_value_1 *args, uint32_t count)
    /// An action has no self; a guest serves one instance. Calls of one action may overlap.
    pub fn_: trove_fn,
    /// PACKED: handed back unchanged; typed: NULL
    pub user: *mut c_void,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_action_1 {}

impl trove_action_1 {
    /// Its size, and nothing else: for `..trove_action_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        name: core::ptr::null(),
        summary: core::ptr::null(),
        args: core::ptr::null(),
        arg_count: 0,
        timeout_s: 0,
        fn_: None,
        user: core::ptr::null_mut(),
    };
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_actions_1 {
    /// sizeof(trove_actions_1)
    pub size: u32,
    pub count: u32,
    pub items: *const trove_action_1,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_actions_1 {}

impl trove_actions_1 {
    /// Its size, and nothing else: for `..trove_actions_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        count: 0,
        items: core::ptr::null(),
    };
}

// ---- trove_module_driver.h ----

pub const TROVE_EXT_MODULE_DRIVER: &CStr = c"trove.module-driver/1";

/// Loaded in the guest. request: module-request.json. Every function is idempotent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_module_driver_1 {
    pub size: u32,
    pub flags: u32,
    /// the module type it serves, e.g. "ping"; lower-case words and '_'
    pub type_: *const c_char,
    /// TROVE_OK if contents of a module can be used, else TROVE_INVALID_ARGUMENT. NULL: any contents. [worker]
    pub validate: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Makes the module effective on this instance. Emits {"message": text}. [worker]
    pub apply: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Takes it away. NULL: it cannot be taken away. [worker]
    pub remove: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_module_driver_1 {}

impl trove_module_driver_1 {
    /// Its size, and nothing else: for `..trove_module_driver_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        type_: core::ptr::null(),
        validate: None,
        apply: None,
        remove: None,
    };
}

// ---- trove_rpc_peer.h ----

pub const TROVE_EXT_RPC_PEER: &CStr = c"trove.rpc-peer/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_rpc_peer_1 {
    pub size: u32,
    pub flags: u32,
    /// request: rpc-message.json, {"from": "guest" | "control", "instance_id", "method", "payload"}. Emits one JSON value, or
    /// nothing; what it emits for a cast is dropped. A cast may arrive twice. Calls may overlap. [worker]
    pub handle: Option<unsafe extern "C" fn(call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_rpc_peer_1 {}

impl trove_rpc_peer_1 {
    /// Its size, and nothing else: for `..trove_rpc_peer_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        handle: None,
    };
}

// ---- draft/trove_replication.h ----

pub const TROVE_EXT_REPLICATION: &CStr = c"trove.replication/1";

/// The replication half of a datastore; self is the one that trove_datastore_1.open made. [worker]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_replication_1 {
    pub size: u32,
    pub flags: u32,
    /// Makes this instance a master. Emits {"position", "access"}: what a replica needs to follow it.
    pub enable_as_master: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Writes a copy that a replica can start from. Emits {"position"}.
    pub snapshot: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str, out: *const trove_ostream_1) -> trove_status>,
    /// Follows a master. request: {"address", "port", "access", "position"}.
    pub attach_replica: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Stops following; with {"for_failover": true} the data stay writable only after make_read_only(false).
    pub detach_replica: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Stops being a master, after the last replica has gone.
    pub demote_master: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// request: {"position"}. Returns once this replica has it, or TROVE_TIMED_OUT.
    pub wait_for_position: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits {"position"}: the last one that this instance has.
    pub position: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// request: {"read_only": bool}.
    pub make_read_only: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_replication_1 {}

impl trove_replication_1 {
    /// Its size, and nothing else: for `..trove_replication_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        enable_as_master: None,
        snapshot: None,
        attach_replica: None,
        detach_replica: None,
        demote_master: None,
        wait_for_position: None,
        position: None,
        make_read_only: None,
    };
}

// ---- draft/trove_cluster.h ----

pub const TROVE_EXT_CLUSTER: &CStr = c"trove.cluster/1";

/// The cluster half of a datastore; self is the one that trove_datastore_1.open made. [worker]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_cluster_1 {
    pub size: u32,
    pub flags: u32,
    /// On each member before its first start. request: {"members": [{"instance_id", "address", "port", "role"}], "secret"}.
    pub prepare_member: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// On one member, once all run: makes them a cluster.
    pub form: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// On one member of a formed cluster. request: {"members": […]}, those that come or go.
    pub grow: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    pub shrink: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits {"members": [{"instance_id", "state"}], "healthy": bool}.
    pub cluster_status: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_cluster_1 {}

impl trove_cluster_1 {
    /// Its size, and nothing else: for `..trove_cluster_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        prepare_member: None,
        form: None,
        grow: None,
        shrink: None,
        cluster_status: None,
    };
}

// ---- draft/trove_tls.h ----

pub const TROVE_EXT_TLS: &CStr = c"trove.tls/1";

/// Beside trove.datastore/1 of the same plugin: self is what its open made, and calls never overlap with its own. Without
/// this table the engine's TLS cannot be changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct trove_tls_1 {
    pub size: u32,
    pub flags: u32,
    /// Makes TLS as request says: at once where the running engine can, and for every later start. The files are the engine's
    /// to read, stay under the same paths when their content is exchanged, and are there before each launch. Accounts of
    /// tenants are let in as the mode says, those made later too; the plugin's own account always is. A failure leaves it to
    /// the host to ask for what was before. request: tls-request.json. Emits {"restart_required": bool}: whether the engine
    /// that runs must be started anew first. Idempotent. [worker]
    pub apply: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
    /// Emits tls-status.json: what the engine does now, and the mode that was applied last. request: {}. [worker]
    pub show: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut trove_call, request: trove_str) -> trove_status>,
}

// A table is constant until the process ends.
unsafe impl Sync for trove_tls_1 {}

impl trove_tls_1 {
    /// Its size, and nothing else: for `..trove_tls_1::EMPTY`.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>() as u32,
        flags: 0,
        apply: None,
        show: None,
    };
}
