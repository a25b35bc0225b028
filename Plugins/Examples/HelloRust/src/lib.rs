// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
//! A route and two typed actions.

#[allow(dead_code)]
mod trove {
    include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
}
use trove::{json::object, tables, *};

// ---- actions ----

unsafe extern "C" fn greet(call: *mut trove_call, who: *const trove_str, times: i64) -> trove_status {
    serve(call, |call| {
        let who = argument(who)?.unwrap_or("");
        call.emit(&object([("hello", who.into()), ("times", times.into())]))
    })
}

fn greeting(who: &str, note: Option<&str>) -> String {
    format!("Hello, {who}!{}", note.map(|note| format!(" {note}")).unwrap_or_default())
}

/// `note` is NULL where it was left out.
unsafe extern "C" fn sign_greeting(
    call: *mut trove_call, who: *const trove_str, key: *const trove_str, note: *const trove_str,
) -> trove_status {
    serve(call, |call| {
        let said = greeting(argument(who)?.unwrap_or(""), argument(note)?);
        let bytes = argument(key)?.unwrap_or("").bytes().chain(said.bytes());
        let check = bytes.fold(0xcbf29ce484222325u64, |value, byte| (value ^ byte as u64).wrapping_mul(0x100000001b3));
        call.emit(&object([("greeting", said.clone().into()), ("check", format!("{check:016x}").into())]))
    })
}

const fn arg(name: &'static core::ffi::CStr, kind: u32, flags: u32, summary: &'static core::ffi::CStr) -> trove_arg_1 {
    trove_arg_1 { name: name.as_ptr(), type_: kind, flags, summary: summary.as_ptr() }
}
static GREET_ARGS: [trove_arg_1; 2] =
    [arg(c"who", TROVE_T_STR, 0, c"name to greet"), arg(c"times", TROVE_T_I64, 0, c"count")];
static SIGN_ARGS: [trove_arg_1; 3] = [
    arg(c"who", TROVE_T_STR, 0, c"name to greet"),
    arg(c"key", TROVE_T_STR, TROVE_ARG_SECRET, c"shared key"),
    arg(c"note", TROVE_T_STR, TROVE_ARG_OPTIONAL, c"added to the greeting"),
];
static ITEMS: [trove_action_1; 2] = [
    trove_action_1 {
        flags: TROVE_ACTION_READ_ONLY,
        name: c"greet".as_ptr(),
        summary: c"Says hello a number of times".as_ptr(),
        args: GREET_ARGS.as_ptr(),
        arg_count: 2,
        fn_: trove_typed_fn!(greet, unsafe extern "C" fn(*mut trove_call, *const trove_str, i64) -> trove_status),
        ..trove_action_1::EMPTY
    },
    trove_action_1 {
        flags: TROVE_ACTION_READ_ONLY,
        name: c"sign_greeting".as_ptr(),
        summary: c"Says hello with a check value that only who knows the key can make".as_ptr(),
        args: SIGN_ARGS.as_ptr(),
        arg_count: 3,
        fn_: trove_typed_fn!(
            sign_greeting,
            unsafe extern "C" fn(*mut trove_call, *const trove_str, *const trove_str, *const trove_str) -> trove_status
        ),
        ..trove_action_1::EMPTY
    },
];
static ACTIONS: trove_actions_1 = tables::actions(&ITEMS);

// ---- the route ----

struct ShowGreeting;
impl tables::Handler for ShowGreeting {
    fn handle(request: &Json, _call: &Call) -> Result<(i64, Json)> {
        let name = request.get("parameters").unwrap_or(&Json::Null).text("name")?;
        Ok((200, object([("greeting", greeting(name, None).into())])))
    }
}
static ROUTES: [trove_route_1; 1] = [trove_route_1 {
    response_schema: concat!(
        r#"{"type":"object","properties":{"greeting":{"type":"string"}},"required":["greeting"]}"#, "\0"
    ).as_ptr().cast(),
    ..tables::route::<ShowGreeting>(
        c"GET", c"/x/org.example.hello-rust/greetings/{name}", c"hello:greeting:show", c"Says hello",
    )
}];
static EXTENSION: trove_api_extension_1 = tables::api_extension(&ROUTES);

trove_plugin! { "org.example.hello-rust", "1.0.0", {
    TROVE_EXT_ACTIONS => ACTIONS,
    TROVE_EXT_API_EXTENSION => EXTENSION,
} }
