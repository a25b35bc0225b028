// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! Answers from a thread of its own: for measuring how many operations a host can have open at once.

#[allow(dead_code)]
mod trove {
    include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
}
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::thread::JoinHandle;
use trove::{tables, *};

/// A call that is answered later; the handle is a number, never followed.
struct Job {
    call: usize,
    value: i64,
}

struct Queue {
    jobs: VecDeque<Job>,
    thread: Option<JoinHandle<()>>,
    is_ending: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), thread: None, is_ending: false });
static CHANGED: Condvar = Condvar::new();

fn answer() {
    loop {
        let mut queue = QUEUE.lock().unwrap_or_else(|broken| broken.into_inner());
        let job = loop {
            if let Some(job) = queue.jobs.pop_front() {
                break job;
            }
            if queue.is_ending {
                return;
            }
            queue = CHANGED.wait(queue).unwrap_or_else(|broken| broken.into_inner());
        };
        drop(queue);
        let Some(table) = host() else { return };
        let text = job.value.to_string();
        let call = job.call as *mut trove_call;
        if let (Some(emit), Some(complete)) = (table.emit, table.complete) {
            // SAFETY: the call is open until complete; the text lives until emit has returned.
            unsafe {
                let status = emit(call, text.as_ptr().cast(), text.len());
                complete(call, status);
            }
        }
    }
}

unsafe extern "C" fn later(call: *mut trove_call, value: i64) -> trove_status {
    let mut queue = QUEUE.lock().unwrap_or_else(|broken| broken.into_inner());
    if queue.thread.is_none() {
        match std::thread::Builder::new().spawn(answer) {
            Ok(thread) => queue.thread = Some(thread),
            Err(_) => return TROVE_EXHAUSTED,
        }
    }
    queue.jobs.push_back(Job { call: call as usize, value });
    CHANGED.notify_one();
    TROVE_PENDING
}

unsafe extern "C" fn nothing(_call: *mut trove_call, _number: i64, _text: *const trove_str) -> trove_status {
    TROVE_OK
}

unsafe extern "C" fn init(table: *const trove_host_1) -> trove_status {
    start(table)
}

unsafe extern "C" fn deinit() {
    let thread = {
        let mut queue = QUEUE.lock().unwrap_or_else(|broken| broken.into_inner());
        queue.is_ending = true;
        queue.thread.take()
    };
    CHANGED.notify_all();
    if let Some(thread) = thread {
        let _ = thread.join();
    }
}

unsafe extern "C" fn get_extension(id: *const core::ffi::c_char) -> *const core::ffi::c_void {
    if core::ffi::CStr::from_ptr(id) == TROVE_EXT_ACTIONS { core::ptr::addr_of!(ACTIONS).cast() } else { core::ptr::null() }
}

const fn arg(name: &'static core::ffi::CStr, kind: u32, summary: &'static core::ffi::CStr) -> trove_arg_1 {
    trove_arg_1 { name: name.as_ptr(), type_: kind, flags: 0, summary: summary.as_ptr() }
}
static LATER_ARGS: [trove_arg_1; 1] = [arg(c"value", TROVE_T_I64, c"what is answered")];
static NOTHING_ARGS: [trove_arg_1; 2] =
    [arg(c"number", TROVE_T_I64, c"any number"), arg(c"text", TROVE_T_STR, c"any text")];
static ITEMS: [trove_action_1; 2] = [
    trove_action_1 {
        flags: TROVE_ACTION_READ_ONLY,
        name: c"later".as_ptr(),
        summary: c"Answers from another thread".as_ptr(),
        args: LATER_ARGS.as_ptr(),
        arg_count: 1,
        fn_: trove_typed_fn!(later, unsafe extern "C" fn(*mut trove_call, i64) -> trove_status),
        ..trove_action_1::EMPTY
    },
    trove_action_1 {
        flags: TROVE_ACTION_READ_ONLY,
        name: c"nothing".as_ptr(),
        summary: c"Does nothing".as_ptr(),
        args: NOTHING_ARGS.as_ptr(),
        arg_count: 2,
        fn_: trove_typed_fn!(nothing, unsafe extern "C" fn(*mut trove_call, i64, *const trove_str) -> trove_status),
        ..trove_action_1::EMPTY
    },
];
static ACTIONS: trove_actions_1 = tables::actions(&ITEMS);

static PLUGIN: trove_plugin_1 = trove_plugin_1 {
    size: size_of::<trove_plugin_1>() as u32,
    magic: TROVE_MAGIC,
    abi_major: TROVE_ABI_MAJOR as u16,
    abi_minor: TROVE_ABI_MINOR as u16,
    flags: 0,
    id: c"org.trove.bench.rust".as_ptr(),
    version: c"1.0.0".as_ptr(),
    init: Some(init),
    deinit: Some(deinit),
    get_extension: Some(get_extension),
};

#[no_mangle]
pub extern "C" fn trove_plugin_entry(major: u32, _minor: u32) -> *const trove_plugin_1 {
    if major == TROVE_ABI_MAJOR { &PLUGIN } else { core::ptr::null() }
}
